package actions_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const kubeconfig = "apiVersion: v1\nkind: Config\nclusters: [{name: a, cluster: {server: 'https://k8s.test?>~'}}]\n"

func TestKubeconfigContent(t *testing.T) {
	const json = `{"apiVersion": "v1", "clusters": [], "x": "~~?>"}`
	wrapped := regexp.MustCompile(`.{20}`).ReplaceAllString(base64.StdEncoding.EncodeToString([]byte(kubeconfig)), "$0\n")
	for _, tt := range []struct{ name, value, want string }{
		{"YAML", kubeconfig, kubeconfig},
		{"JSON", json, json},
		{"base64", base64.StdEncoding.EncodeToString([]byte(kubeconfig)), kubeconfig},
		{"base64 without padding", base64.RawStdEncoding.EncodeToString([]byte(kubeconfig + "#")), kubeconfig + "#"},
		{"base64 for addresses", base64.URLEncoding.EncodeToString([]byte(kubeconfig)), kubeconfig},
		{"base64 for addresses without padding", base64.RawURLEncoding.EncodeToString([]byte(kubeconfig + "#")), kubeconfig + "#"},
		{"base64 of JSON", base64.StdEncoding.EncodeToString([]byte(json)), json},
		{"base64 in lines", wrapped, kubeconfig},
		{"base64 in lines of Windows", strings.ReplaceAll(wrapped, "\n", "\r\n") + " ", kubeconfig},
	} {
		t.Run(tt.name, func(t *testing.T) {
			content, path, err := (&world{}).runner().Kubeconfig(tt.value)
			if err != nil || path != "" || string(content) != tt.want {
				t.Errorf("content %q, path %q, %v", content, path, err)
			}
		})
	}
}

func TestKubeconfigPath(t *testing.T) {
	there := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(there, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(t.TempDir(), "none")
	container := map[string]string{"GITHUB_WORKSPACE": "/github/workspace"}
	with := func(env map[string]string, kubeconfig string) map[string]string {
		all := map[string]string{"KUBECONFIG": kubeconfig}
		for k, v := range env {
			all[k] = v
		}
		return all
	}
	for _, tt := range []struct {
		name  string
		env   map[string]string
		value string
		path  string
		fails []string
	}{
		{"there", nil, there, there, nil},
		{"not there", nil, missing, "", []string{"input kubeconfig is the path " + missing, "not there"}},
		{"not there, in a container", container, missing, "", []string{missing, "RUNNER_TEMP", "${{ runner.temp }}"}},
		{"of a home", nil, "~/.kube/config", "", []string{"~/.kube/config", "write the whole path"}},
		{"nothing given", nil, "", "", nil},
		{"by the environment", with(nil, there), "", "", nil},
		{"several by the environment", with(nil, there+":"+":"+there), "", "", nil},
		{"by the environment, not there", with(container, there+":"+missing), "", "", []string{"KUBECONFIG names " + missing, "RUNNER_TEMP"}},
		{"by the environment, of a home", with(nil, "~/x"), "", "", []string{"KUBECONFIG names ~/x"}},
		{"the input goes before the environment", with(nil, missing), there, there, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			content, path, err := (&world{env: tt.env}).runner().Kubeconfig(tt.value)
			has(t, err, tt.fails...)
			if len(tt.fails) == 0 && (err != nil || path != tt.path || content != nil) {
				t.Errorf("content %q, path %q, %v", content, path, err)
			}
		})
	}
}

// TestKubeconfigNone: what is neither content nor a path is not quoted: it may be a secret in the wrong place.
func TestKubeconfigNone(t *testing.T) {
	cut := base64.StdEncoding.EncodeToString([]byte(kubeconfig))[:40]
	for _, tt := range []struct{ name, value string }{
		{"a token", "eyJhbGciOiJSUzI1NiJ9.s3cr3t.s3cr3t"},
		{"base64 that was cut off", cut},
		{"base64 of something else", base64.StdEncoding.EncodeToString([]byte("s3cr3t text that is no kubeconfig"))},
		{"several lines", "/s3cr3t\nand more"},
		{"YAML of something else", "user: s3cr3t\npassword: s3cr3t\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			content, path, err := (&world{}).runner().Kubeconfig(tt.value)
			has(t, err, "neither a kubeconfig", "kubectl config view --raw --flatten --minify")
			if content != nil || path != "" || err != nil && strings.Contains(err.Error(), tt.value[:8]) {
				t.Errorf("content %q, path %q, %v", content, path, err)
			}
		})
	}
}
