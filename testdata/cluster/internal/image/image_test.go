package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"testing"
)

func read(t *testing.T, r io.Reader) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	in := tar.NewReader(r)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
	}
}

func TestArchive(t *testing.T) {
	var b bytes.Buffer
	err := Archive(&b, []Image{
		{Tag: "local/a:v1", Name: "service", Binary: []byte("elf"), Env: []string{"VERSION=v1"}, Arch: "amd64"},
		{Tag: "local/a:v2", Name: "service", Binary: []byte("elf"), Env: []string{"VERSION=v2"}, Arch: "amd64"},
	})
	if err != nil {
		t.Fatal(err)
	}
	files := read(t, &b)
	var entries []entry
	if err := json.Unmarshal(files["manifest.json"], &entries); err != nil || len(entries) != 2 {
		t.Fatalf("%s, %v", files["manifest.json"], err)
	}
	if len(files) != 4 || !slices.Equal(entries[0].Layers, entries[1].Layers) {
		t.Errorf("the layer is not shared: %d files", len(files))
	}
	var c config
	if err := json.Unmarshal(files[entries[1].Config], &c); err != nil {
		t.Fatal(err)
	}
	layer := files[entries[1].Layers[0]]
	if c.Config.Env[0] != "VERSION=v2" || c.Config.Entrypoint[0] != "/service" || c.RootFS.DiffIDs[0] != "sha256:"+sum(layer) {
		t.Errorf("config %+v", c)
	}
	if got := read(t, bytes.NewReader(layer)); string(got["service"]) != "elf" {
		t.Errorf("layer %v", got)
	}
}
