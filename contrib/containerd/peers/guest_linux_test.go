package peers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// native is the image of a program that runc runs.
func native(t testing.TB) image {
	t.Helper()
	program, err := os.ReadFile(filepath.Join(os.Getenv(programsKey), "hello"))
	if err != nil {
		t.Fatal(err)
	}
	return image{
		name: "wasport.test/native:1", os: "linux", arch: "amd64",
		config: map[string]any{"Entrypoint": []string{"/hello"}},
		layers: [][]byte{layer(t, file{name: "hello", content: program})},
	}
}

func TestNativeProgramRunsUnderRunc(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		i := native(t)
		n.load(namespace, i)
		out, err := n.run(spec{image: i, native: true, flags: []string{"--net-host"}})
		if err != nil || !strings.Contains(out, "hello") {
			t.Errorf("got %v and %q, want hello", err, out)
		}
	})
}

func TestHello(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		i := moduleImage(t, "wasport.test/hello:1", readModule(t, "cmd/wasport/testdata/module/hello.wasm"))
		n.load(namespace, i)
		out, err := n.run(spec{image: i, flags: []string{"--net-host"}})
		if err != nil || !strings.Contains(out, "hello") {
			t.Errorf("got %v and %q, want hello", err, out)
		}
	})
}
