package credentials

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, "10.99.0.1", "6443", "127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, Certificate), filepath.Join(dir, Key))
	if err != nil {
		t.Fatal(err)
	}
	ca, _ := os.ReadFile(filepath.Join(dir, CA))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	for _, name := range []string{"10.99.0.1", "127.0.0.1", "kubernetes.default.svc"} {
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	token, _ := os.ReadFile(filepath.Join(dir, Token))
	kubeconfig, _ := os.ReadFile(filepath.Join(dir, Kubeconfig))
	if len(token) < 20 || !strings.Contains(string(kubeconfig), string(token)) || !strings.Contains(string(kubeconfig), `"https://10.99.0.1:6443"`) {
		t.Errorf("kubeconfig\n%s", kubeconfig)
	}
	if err := Write(dir, "10.99.0.1", "6443"); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.ReadFile(filepath.Join(dir, Token)); string(again) != string(token) {
		t.Error("a second Write made another token")
	}
}
