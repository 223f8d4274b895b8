// Package credentials makes what the parts of a throw-away cluster know each other by: a certificate for the API server,
// a key for service accounts, and one token that may do everything.
package credentials

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Files in the folder given to Write.
const (
	CA          = "ca.crt"
	Certificate = "server.crt"
	Key         = "server.key"
	AccountKey  = "service-accounts.key"
	Tokens      = "tokens.csv"
	Token       = "token"
	Kubeconfig  = "kubeconfig"
)

// Write makes everything for an API server at address:port that is also known by the other IPs. It keeps what it finds.
func Write(dir, address, port string, others ...string) error {
	if _, err := os.Stat(filepath.Join(dir, Kubeconfig)); err == nil {
		return nil
	}
	ca, certificate, key, err := certificates(append(others, address))
	if err != nil {
		return fmt.Errorf("make certificates: %w", err)
	}
	account, err := accountKey()
	if err != nil {
		return fmt.Errorf("make the service accounts' key: %w", err)
	}
	token := rand.Text()
	server := "https://" + net.JoinHostPort(address, port)
	for _, f := range []struct{ name, content string }{
		{CA, ca}, {Certificate, certificate}, {Key, key}, {AccountKey, account},
		{Token, token}, {Tokens, token + ",admin,admin,system:masters\n"},
		{Kubeconfig, kubeconfig(server, ca, token)}, // the last: it says that all are there
	} {
		if err := os.WriteFile(filepath.Join(dir, f.name), []byte(f.content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func kubeconfig(server, ca, token string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: tidegate
  cluster: {server: %q, certificate-authority-data: %s}
users:
- name: admin
  user: {token: %s}
contexts:
- name: tidegate
  context: {cluster: tidegate, user: admin}
current-context: tidegate
`, server, base64.StdEncoding.EncodeToString([]byte(ca)), token)
}

// The certificates are valid for longer than any such cluster lives, on any clock.
var (
	from  = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	until = time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)
)

func certificates(ips []string) (ca, certificate, key string, err error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", "", err
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tidegate-cluster"}, NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	caDER, err := x509.CreateCertificate(rand.Reader, root, root, caKey.Public(), caKey)
	if err != nil {
		return "", "", "", err
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", "", err
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "kube-apiserver"}, NotBefore: from, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}}
	for _, ip := range ips {
		leaf.IPAddresses = append(leaf.IPAddresses, net.ParseIP(ip))
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, root, leafKey.Public(), caKey)
	if err != nil {
		return "", "", "", err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(leafKey)
	return block("CERTIFICATE", caDER), block("CERTIFICATE", der), block("PRIVATE KEY", keyDER), err
}

func accountKey() (string, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	return block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)), nil
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
