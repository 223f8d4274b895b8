package spec

import (
	"fmt"
	"strings"
	"testing"
)

// getenv is an environment of the test's own.
func getenv(name string) (string, bool) {
	value, found := map[string]string{
		"HOST": "prometheus", "TOKEN": "secret-token", "SHORT": "abc", "EMPTY": "", "GITHUB_TOKEN": "ghs_xxx", "NESTED": "${TOKEN}",
	}[name]
	return value, found
}

func TestExpand(t *testing.T) {
	tests := []struct {
		name, text, want, secrets, err string
	}{
		{name: "plain", text: "https://example.com", want: "https://example.com"},
		{name: "one", text: "https://${HOST}:9090", want: "https://prometheus:9090", secrets: "prometheus"},
		{name: "two", text: "${HOST}${TOKEN}${HOST}", want: "prometheussecret-tokenprometheus", secrets: "prometheus secret-token"},
		{name: "literal", text: "a$${HOST}b$c", want: "a${HOST}b$c"},
		{name: "literal, then one", text: "$${a}${HOST}", want: "${a}prometheus", secrets: "prometheus"},
		{name: "a value is not expanded again", text: "${NESTED}", want: "${TOKEN}", secrets: "${TOKEN}"},
		{name: "too short to be masked", text: "x${SHORT}", want: "xabc"},
		{name: "missing", text: "${MISSING}", err: "the environment variable MISSING is not set"},
		{name: "empty", text: "${EMPTY}", err: "the environment variable EMPTY is not set"},
		{name: "refused", text: "${GITHUB_TOKEN}", err: "${GITHUB_TOKEN} belongs to the runner"},
		{name: "refused in lower case", text: "${github_token}", err: "${github_token} belongs to the runner"},
		{name: "open", text: "${HOST", err: "`${` starts no ${NAME}"},
		{name: "no name", text: "${1}", err: "`${` starts no ${NAME}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, secrets, err := Expand(tt.text, getenv)
			if got != tt.want || strings.Join(secrets, " ") != tt.secrets || (err == nil) != (tt.err == "") {
				t.Errorf("got %q, %q, %v", got, secrets, err)
			}
			if err != nil && !strings.HasPrefix(err.Error(), tt.err) {
				t.Errorf("got %v, want %s", err, tt.err)
			}
		})
	}
}

func TestCredential(t *testing.T) {
	value, secrets, err := Credential("Bearer ${TOKEN}").Expand(getenv)
	if value != "Bearer secret-token" || strings.Join(secrets, "|") != "secret-token|Bearer secret-token" || err != nil {
		t.Errorf("got %q, %q, %v", value, secrets, err)
	}
	_, _, err = Credential("${SHORT}").Expand(getenv)
	if err == nil || !strings.Contains(err.Error(), "the value of SHORT is too short") || strings.Contains(err.Error(), "abc") {
		t.Errorf("got %v", err)
	}
	if value, secrets, err := Credential("").Expand(getenv); value != "" || secrets != nil || err != nil {
		t.Errorf("got %q, %q, %v", value, secrets, err)
	}
}

func TestCredentialsAreNotPrinted(t *testing.T) {
	p := Prometheus{URL: "https://${HOST}", BearerToken: "written-out", Password: "${TOKEN}"}
	text := fmt.Sprintf("%v %+v %s", p, p, p.BearerToken)
	if strings.Contains(text, "written-out") || !strings.Contains(text, "${TOKEN}") || !strings.Contains(text, "https://${HOST}") {
		t.Errorf("got %s", text)
	}
}

func TestNamesOfAText(t *testing.T) {
	if got := Expandable("${B}${A}$${C}${B}").Names(); strings.Join(got, " ") != "A B" {
		t.Errorf("got %v", got)
	}
}

func TestExpandWholeFile(t *testing.T) {
	d := load(t, head+`  metrics: {prom: {prometheus: {url: "https://${HOST}", headers: {Cost: "$${5}"}}}}
`, Options{})
	header := d.Spec.Metrics["prom"].Prometheus.Headers["Cost"]
	if value, _, err := header.Expand(getenv); value != "${5}" || err != nil {
		t.Errorf("got %q, %v", value, err)
	}
	if url := d.Spec.Metrics["prom"].Prometheus.URL; fmt.Sprint(url) != "https://${HOST}" {
		t.Errorf("printed as %s", url)
	}
}

func TestLiteralDollarBrace(t *testing.T) {
	d := load(t, head+"  context: \"a$${b}\"\n", Options{})
	if d.Spec.Context != "a${b}" {
		t.Errorf("got %q", d.Spec.Context)
	}
}
