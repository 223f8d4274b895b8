package cloud

import (
	"context"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"
	gauth "golang.org/x/oauth2/google"
)

// googleScopes are those that gke-gcloud-auth-plugin asks for with application default credentials.
func googleScopes() []string {
	return []string{"https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email"}
}

// google makes what gke-gcloud-auth-plugin prints: an access token of the default credentials.
type google struct{ plugin Plugin }

// Token implements Source.
func (g google) Token(ctx context.Context) (Token, error) {
	if g.plugin.Transport != nil {
		ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: g.plugin.Transport})
	}
	credentials, err := gauth.FindDefaultCredentials(ctx, googleScopes()...)
	if err != nil {
		return Token{}, fmt.Errorf("token for the GKE cluster: no credentials of Google were found (%w); log in with google-github-actions/auth in an "+
			"earlier step: the file that it names in GOOGLE_APPLICATION_CREDENTIALS must lie in the workspace or in RUNNER_TEMP", err)
	}
	token, err := credentials.TokenSource.Token()
	if err != nil {
		return Token{}, fmt.Errorf("token for the GKE cluster: %w", err)
	}
	return Token{Value: token.AccessToken, Expires: token.Expiry}, nil
}
