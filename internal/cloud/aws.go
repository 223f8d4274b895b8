package cloud

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// An EKS token is a request to STS that is signed and never sent: the API server sends it, and learns who signed. It is
// taken for 15 minutes after its signature (github.com/kubernetes-sigs/aws-iam-authenticator, README, "API
// Authorization from Outside a Cluster").
const (
	awsPrefix   = "k8s-aws-v1."
	awsHeader   = "x-k8s-aws-id"
	awsValid    = 14 * time.Minute // one less, for clocks that differ
	awsPresents = "60"             // seconds; what the authenticator asks of X-Amz-Expires
)

// eks makes what `aws eks get-token` prints.
type eks struct {
	plugin                Plugin
	cluster, region, role string
}

func newAWS(p Plugin) (Source, error) {
	s := &eks{plugin: p, cluster: flag(p.Args, "--cluster-name", "--cluster-id"), role: flag(p.Args, "--role-arn", "--role"),
		region: or(flag(p.Args, "--region"), p.env("AWS_REGION", "AWS_DEFAULT_REGION"))}
	switch {
	case s.cluster == "":
		return nil, errors.New("the kubeconfig calls `aws` without --cluster-name: only `aws eks get-token --cluster-name NAME` makes a token for a cluster")
	case s.region == "":
		return nil, fmt.Errorf("token for the EKS cluster %s: no region is known; give --region in the kubeconfig or AWS_REGION", s.cluster)
	case flag(p.Args, "--profile") != "" || p.Env["AWS_PROFILE"] != "":
		return nil, fmt.Errorf("token for the EKS cluster %s: the kubeconfig asks for a profile, and profiles are files of another machine; "+
			"make the kubeconfig without (`aws eks update-kubeconfig` without --profile), and log in with aws-actions/configure-aws-credentials", s.cluster)
	}
	return s, nil
}

// Token implements Source.
func (s *eks) Token(ctx context.Context) (Token, error) {
	provider := s.provider()
	if s.role != "" {
		provider = stscreds.NewAssumeRoleProvider(s.sts(provider), s.role)
	}
	found, err := provider.Retrieve(ctx)
	if err != nil {
		return Token{}, fmt.Errorf("token for the EKS cluster %s: no credentials of AWS were found (%w); log in with aws-actions/configure-aws-credentials "+
			"in an earlier step", s.cluster, err)
	}
	return s.sign(ctx, s.region, found)
}

// provider is where credentials come from, in the order of the SDKs: the environment, as login actions leave it; a
// workload's own identity; the pod's or the machine's role. Profiles and single sign-on need files or a person.
func (s *eks) provider() aws.CredentialsProvider {
	env := s.plugin.env
	switch token, role, endpoint := env("AWS_WEB_IDENTITY_TOKEN_FILE"), env("AWS_ROLE_ARN"), env("AWS_CONTAINER_CREDENTIALS_FULL_URI"); {
	case env("AWS_ACCESS_KEY_ID") != "":
		return credentials.NewStaticCredentialsProvider(env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY"), env("AWS_SESSION_TOKEN"))
	case token != "" && role != "":
		return stscreds.NewWebIdentityRoleProvider(s.sts(nil), role, stscreds.IdentityTokenFile(token))
	case endpoint != "":
		return endpointcreds.New(endpoint, func(o *endpointcreds.Options) {
			if file := env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); file != "" {
				o.AuthorizationTokenProvider = endpointcreds.TokenProviderFunc(func() (string, error) {
					text, err := os.ReadFile(file)
					return string(text), err
				})
			}
			o.AuthorizationToken = env("AWS_CONTAINER_AUTHORIZATION_TOKEN")
		})
	}
	return ec2rolecreds.New()
}

func (s *eks) sts(provider aws.CredentialsProvider) *sts.Client {
	options := sts.Options{Region: s.region, Credentials: provider}
	if s.plugin.Transport != nil {
		options.HTTPClient = &http.Client{Transport: s.plugin.Transport}
	}
	return sts.New(options)
}

func (s *eks) sign(ctx context.Context, region string, identity aws.Credentials) (Token, error) {
	query := url.Values{"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}, "X-Amz-Expires": {awsPresents}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+stsHost(region)+"/?"+query.Encode(), http.NoBody)
	if err != nil {
		return Token{}, err
	}
	req.Header.Set(awsHeader, s.cluster)
	empty := sha256.Sum256(nil)
	now := s.plugin.Clock.Now()
	signed, _, err := v4.NewSigner().PresignHTTP(ctx, identity, req, hex.EncodeToString(empty[:]), "sts", region, now)
	if err != nil {
		return Token{}, fmt.Errorf("token for the EKS cluster %s: %w", s.cluster, err)
	}
	return Token{Value: awsPrefix + base64.RawURLEncoding.EncodeToString([]byte(signed)), Expires: now.Add(awsValid)}, nil
}

// stsHost is the region's endpoint of STS.
func stsHost(region string) string {
	host := "sts." + region + ".amazonaws.com"
	if len(region) > 3 && region[:3] == "cn-" {
		host += ".cn"
	}
	return host
}
