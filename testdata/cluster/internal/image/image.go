// Package image makes container images without a container engine: static binaries and their settings in the archive format
// of `docker save`, which containerd imports. Binaries are shared by the images that use them, so many versions cost as much
// as one.
package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
)

// Image is one static binary with an environment.
type Image struct {
	Tag    string   // name:tag, with a registry
	Name   string   // of the binary in the root folder
	Binary []byte   // linked statically
	Env    []string // KEY=value
	Arch   string   // as in GOARCH
}

type config struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	Config       struct {
		Env        []string
		Entrypoint []string
	} `json:"config"`
	RootFS struct {
		Type    string   `json:"type"`
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
}

type entry struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// Archive writes the images.
func Archive(w io.Writer, images []Image) error {
	out := tar.NewWriter(w)
	written := map[string]bool{}
	add := func(name string, data []byte) error {
		if written[name] {
			return nil
		}
		written[name] = true
		return file(out, name, 0o644, data)
	}
	var entries []entry
	for _, i := range images {
		layer, err := layer(i)
		if err != nil {
			return err
		}
		c, err := json.Marshal(i.config(sum(layer)))
		if err != nil {
			return err
		}
		e := entry{Config: sum(c) + ".json", RepoTags: []string{i.Tag}, Layers: []string{sum(layer) + ".tar"}}
		if err := add(e.Config, c); err != nil {
			return err
		}
		if err := add(e.Layers[0], layer); err != nil {
			return err
		}
		entries = append(entries, e)
	}
	manifest, err := json.Marshal(entries)
	if err != nil {
		return err
	}
	if err := add("manifest.json", manifest); err != nil {
		return err
	}
	return out.Close()
}

func (i Image) config(diffID string) config {
	c := config{Architecture: i.Arch, OS: "linux"}
	c.Config.Env, c.Config.Entrypoint = i.Env, []string{"/" + i.Name}
	c.RootFS.Type, c.RootFS.DiffIDs = "layers", []string{"sha256:" + diffID}
	return c
}

func layer(i Image) ([]byte, error) {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	if err := file(t, i.Name, 0o755, i.Binary); err != nil {
		return nil, err
	}
	err := t.Close() // writes the end: before the bytes are taken
	return b.Bytes(), err
}

func file(t *tar.Writer, name string, mode int64, data []byte) error {
	if err := t.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(data)), Format: tar.FormatUSTAR}); err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	_, err := t.Write(data)
	return err
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}
