package spec

import (
	"fmt"
	"io/fs"
)

// FileName is the usual name of a spec file.
const FileName = "tidegate.yaml"

// Find is the path of the spec file in a repository: tidegate.yaml at its
// root, else the one in .github.
func Find(repository fs.FS) (string, error) {
	for _, path := range []string{FileName, ".github/" + FileName} {
		if info, err := fs.Stat(repository, path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", hint(fmt.Sprintf("there is no %[1]s and no .github/%[1]s", FileName), "Write one, or name another file with --spec.")
}
