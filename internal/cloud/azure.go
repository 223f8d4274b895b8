package cloud

import (
	"context"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// aksServer is the application of every AKS cluster with Entra ID (learn.microsoft.com, "Use kubelogin to authenticate
// users in AKS").
const aksServer = "6dae42f8-4368-4678-94ff-3960e28e3630"

// azure makes what `kubelogin get-token` prints. Of its ways to log in those are known that need no person: a service
// principal, a workload's identity, a managed identity.
type azure struct {
	server     string
	credential azcore.TokenCredential
}

func newAzure(p Plugin) (Source, error) {
	env := p.env
	login := or(flag(p.Args, "--login", "-l"), env("AAD_LOGIN_METHOD"), "devicecode")
	tenant := or(flag(p.Args, "--tenant-id", "-t"), env("AZURE_TENANT_ID", "AAD_SERVICE_PRINCIPAL_TENANT_ID"))
	client := or(flag(p.Args, "--client-id"), env("AAD_SERVICE_PRINCIPAL_CLIENT_ID", "AZURE_CLIENT_ID"))
	options := azcore.ClientOptions{}
	if p.Transport != nil {
		options.Transport = &http.Client{Transport: p.Transport}
	}
	s := &azure{server: or(flag(p.Args, "--server-id"), aksServer)}
	var err error
	switch login {
	case "spn":
		s.credential, err = azidentity.NewClientSecretCredential(tenant, client, or(flag(p.Args, "--client-secret"),
			env("AAD_SERVICE_PRINCIPAL_CLIENT_SECRET", "AZURE_CLIENT_SECRET")), &azidentity.ClientSecretCredentialOptions{ClientOptions: options})
	case "workloadidentity":
		s.credential, err = azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: options,
			ClientID: client, TenantID: tenant, TokenFilePath: or(flag(p.Args, "--federated-token-file"), env("AZURE_FEDERATED_TOKEN_FILE"))})
	case "msi":
		managed := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: options}
		if client != "" {
			managed.ID = azidentity.ClientID(client)
		}
		s.credential, err = azidentity.NewManagedIdentityCredential(managed)
	default:
		return nil, fmt.Errorf("the kubeconfig calls kubelogin with --login %s, which needs a person or another program; convert it for a workflow "+
			"with `kubelogin convert-kubeconfig -l spn` (or workloadidentity, msi)", login)
	}
	if err != nil {
		return nil, fmt.Errorf("token for the AKS cluster by --login %s: %w", login, err)
	}
	return s, nil
}

// Token implements Source.
func (s *azure) Token(ctx context.Context) (Token, error) {
	token, err := s.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{s.server + "/.default"}})
	if err != nil {
		return Token{}, fmt.Errorf("token for the AKS cluster: %w", err)
	}
	return Token{Value: token.Token, Expires: token.ExpiresOn}, nil
}
