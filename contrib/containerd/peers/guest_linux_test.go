package peers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// native is the image of a program that runc runs: hello or pause.
func native(t testing.TB, name string) image {
	t.Helper()
	program, err := os.ReadFile(filepath.Join(os.Getenv(programsKey), name))
	if err != nil {
		t.Fatal(err)
	}
	return image{
		name: "wasport.test/" + name + ":native", os: "linux", arch: "amd64",
		config: map[string]any{"Entrypoint": []string{"/program"}},
		layers: [][]byte{layer(t, file{name: "program", content: program})},
	}
}

func TestNativeProgramRunsUnderRunc(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		i := native(t, "hello")
		n.load(namespace, i)
		out, err := n.run(spec{image: i, native: true, flags: []string{"--net-host"}})
		if err != nil || !strings.Contains(out, "hello") {
			t.Errorf("got %v and %q, want hello", err, out)
		}
	})
}

func TestHello(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		i := n.guest("cmd/wasport/testdata/module/hello.wasm")
		out, err := n.run(spec{image: i, flags: []string{"--net-host"}})
		if err != nil || !strings.Contains(out, "hello") {
			t.Errorf("got %v and %q, want hello", err, out)
		}
	})
}
