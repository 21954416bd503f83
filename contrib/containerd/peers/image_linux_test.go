package peers

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pauseImage is the image of the sandboxes of pods. No registry has it.
const pauseImage = "wasport.test/pause:1"

// An image is the content of an OCI archive (OCI image specification, image-layout.md).
type image struct {
	name     string
	os, arch string // wasip1 and wasm, if nothing is said
	config   map[string]any
	layers   [][]byte
	artifact bool // the form for modules: no file system, the layer is the module
	index    bool // an index of one manifest, which stands between the name and the manifest
}

// A file is an entry of a layer. A directory has a name with a slash at the end.
type file struct {
	name, link string // link makes it a symbolic link
	kind       byte   // or another kind of file, as package tar has them
	content    []byte
	mode       int64
}

// layer makes a layer of files.
func layer(t testing.TB, files ...file) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Linkname: f.link, Mode: f.mode, Typeflag: tar.TypeReg,
			Size: int64(len(f.content)), Devmajor: 1, Devminor: 5} // the device /dev/zero
		switch {
		case f.kind != 0:
			h.Typeflag = f.kind
		case f.link != "":
			h.Typeflag = tar.TypeSymlink
		case strings.HasSuffix(f.name, "/"):
			h.Typeflag = tar.TypeDir
		}
		if h.Mode == 0 {
			h.Mode = 0o755
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// moduleImage is an ordinary image with a module as its entry point.
func moduleImage(t testing.TB, name string, module []byte) image {
	t.Helper()
	return image{
		name:   name,
		config: map[string]any{"Entrypoint": []string{"/guest.wasm"}},
		layers: [][]byte{layer(t, file{name: "guest.wasm", content: module})},
	}
}

// An archive is an OCI archive that is being written.
type archive struct {
	*tar.Writer
	t testing.TB
}

func (a archive) add(name string, content []byte) {
	a.t.Helper()
	header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}
	if err := a.WriteHeader(header); err != nil {
		a.t.Fatal(err)
	}
	if _, err := a.Write(content); err != nil {
		a.t.Fatal(err)
	}
}

// blob adds a blob and returns its descriptor (OCI image specification, descriptor.md).
func (a archive) blob(mediaType string, content []byte) map[string]any {
	a.t.Helper()
	digest := fmt.Sprintf("%x", sha256.Sum256(content))
	a.add("blobs/sha256/"+digest, content)
	return map[string]any{
		"mediaType": mediaType, "digest": "sha256:" + digest, "size": len(content),
	}
}

func (a archive) object(mediaType string, v any) map[string]any {
	a.t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.blob(mediaType, text)
}

// Media types of the OCI image specification, and those of the artifact form
// (tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact).
const (
	indexType    = "application/vnd.oci.image.index.v1+json"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
	wasmConfig   = "application/vnd.wasm.config.v0+json"
	wasmLayer    = "application/wasm"
)

// writeImage writes an image as an OCI archive.
func writeImage(t testing.TB, out io.Writer, i image) {
	t.Helper()
	a := archive{tar.NewWriter(out), t}
	if i.os == "" {
		i.os, i.arch = "wasip1", "wasm"
	}
	var layers []map[string]any
	var ids []string
	kind, layerKind := configType, layerType
	if i.artifact {
		kind, layerKind = wasmConfig, wasmLayer
	}
	for _, l := range i.layers {
		layers = append(layers, a.blob(layerKind, l))
		ids = append(ids, layers[len(layers)-1]["digest"].(string))
	}
	config := map[string]any{"architecture": i.arch, "os": i.os}
	if i.artifact {
		config["layerDigests"] = ids
	} else {
		config["config"] = i.config
		config["rootfs"] = map[string]any{"type": "layers", "diff_ids": ids}
	}
	top := a.object(manifestType, map[string]any{
		"schemaVersion": 2, "mediaType": manifestType,
		"config": a.object(kind, config), "layers": layers,
	})
	if i.index {
		top["platform"] = map[string]any{"os": i.os, "architecture": i.arch}
		top = a.object(indexType, map[string]any{
			"schemaVersion": 2, "mediaType": indexType, "manifests": []any{top},
		})
	}
	top["annotations"] = map[string]any{"io.containerd.image.name": i.name}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": []any{top}})
	if err != nil {
		t.Fatal(err)
	}
	a.add("index.json", index)
	a.add("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

// load imports an image into the containerd of a node, for one of its namespaces.
func (n *node) load(namespace string, i image) {
	n.Helper()
	name := filepath.Join(n.TempDir(), "image.tar")
	f, err := os.Create(name)
	if err != nil {
		n.Fatal(err)
	}
	writeImage(n, f, i)
	if err := f.Close(); err != nil {
		n.Fatal(err)
	}
	args := []string{n.ctr, "--address", n.socket(), "-n", namespace, "images", "import"}
	if i.os == "" {
		args = append(args, "--platform", "wasip1/wasm")
	}
	if i.artifact {
		args = append(args, "--no-unpack") // there is no file system
	}
	if n.version > 2 {
		args = append(args, "--local") // the service for imports unpacks for its own platform alone
	}
	if _, err := n.try(append(args, name)...); err != nil {
		n.Fatal(err)
	}
}
