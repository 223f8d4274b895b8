package contract

import (
	"os"
	"path/filepath"
	"testing"
)

// Objects are the user's objects of a router: a file of testdata/routers.
func Objects(t *testing.T, router string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		data, err := os.ReadFile(filepath.Join(dir, "testdata", "routers", router+".yaml")) //nolint:gosec // a file of the repository
		if err == nil {
			return string(data)
		}
		if dir == filepath.Dir(dir) {
			t.Fatalf("testdata/routers/%s.yaml is not there", router)
		}
		dir = filepath.Dir(dir)
	}
}
