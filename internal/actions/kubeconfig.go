package actions

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Kubeconfig tells what the input `kubeconfig` is: content (YAML, or base64 of it), or the path of a file that this
// process can read. Both are empty when nothing was given; KUBECONFIG then says where to look, and a file that it names
// must be there.
func (r *Runner) Kubeconfig(value string) (content []byte, path string, err error) {
	switch {
	case value == "":
		return nil, "", r.reachable("KUBECONFIG names", r.getenv("KUBECONFIG"))
	case isKubeconfig(value):
		return []byte(value), "", nil
	}
	if decoded := unbase64(value); isKubeconfig(string(decoded)) {
		return decoded, "", nil
	}
	if !isPath(value) {
		return nil, "", errors.New("input kubeconfig is neither a kubeconfig (YAML with `clusters`) nor base64 of one nor the path of a file that is there; " +
			"take what `kubectl config view --raw --flatten --minify` prints, or a path that begins with / or ./")
	}
	return nil, value, r.reachable("input kubeconfig is the path", value)
}

// isPath tells a path from a secret that was cut off or pasted into the wrong place, which no error may quote.
func isPath(value string) bool {
	if strings.ContainsAny(value, "\n\r") {
		return false
	}
	if strings.HasPrefix(value, "/") || strings.HasPrefix(value, ".") || strings.HasPrefix(value, "~") {
		return true
	}
	_, err := os.Stat(value)
	return err == nil
}

// reachable says what is wrong with paths of kubeconfigs.
func (r *Runner) reachable(who, paths string) error {
	for _, path := range filepath.SplitList(paths) {
		if path == "" {
			continue
		}
		if strings.HasPrefix(path, "~") {
			return fmt.Errorf("%s %s, and nothing expands the ~; write the whole path", who, path)
		}
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if r.InContainer() {
			return fmt.Errorf("%s %s, which is not there: the Action runs in a container and sees of the runner's files only the workspace and "+
				"RUNNER_TEMP. Write the kubeconfig to ${{ runner.temp }}/kubeconfig, or give its content as the input kubeconfig (from a secret)", who, path)
		}
		return fmt.Errorf("%s %s, which is not there", who, path)
	}
	return nil
}

func isKubeconfig(text string) bool {
	return strings.Contains(text, "clusters:") || strings.HasPrefix(strings.TrimSpace(text), "{") && strings.Contains(text, `"clusters"`)
}

func unbase64(text string) []byte {
	text = strings.Join(strings.Fields(text), "")
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if decoded, err := encoding.DecodeString(text); err == nil {
			return decoded
		}
	}
	return nil
}
