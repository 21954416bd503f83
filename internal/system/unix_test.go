package system

import (
	"path"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/hostfs"
)

// FuzzUnixPath reads arbitrary paths. One that is taken has one spelling, which leads beneath the
// directory that is found for it.
func FuzzUnixPath(f *testing.F) {
	for _, p := range []string{"/run/app.sock", "run/app.sock", "/run/../x", "//run//app", "..",
		"/", "", "\x00/run/x", "/run/x\x00y", "/run/x/", "/other/./x", strings.Repeat("/run", 30)} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, in string) {
		root := func() hostfs.Dir {
			d, err := hostfs.OpenRoot(t.TempDir(), hostfs.ReadOnly)
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		g, err := New(t.Context(), Config{Preopens: []Preopen{{Dir: root(), Name: "/run"},
			{Dir: root(), Name: "/run/deeper"}, {Dir: root(), Name: "other"}}})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		p, err := unixPath(in)
		if err != nil {
			return
		}
		if p[0] != '/' || path.Clean(p) != p || strings.IndexByte(p, 0) >= 0 ||
			len(p) > maxUnixPath {
			t.Fatalf("%q: got %q, want an absolute path in its one spelling", in, p)
		}
		if again, err := unixPath(p); p != "/" && (again != p || err != nil) {
			t.Fatalf("%q: got %q, %v when read again, want the same", p, again, err)
		}
		d, rest := g.preopenOf(p)
		if d == nil {
			if strings.HasPrefix(p, "/run/") || strings.HasPrefix(p, "/other/") {
				t.Fatalf("%q: got no directory, want one", p)
			}
			return
		}
		if path.Join("/", *d.preopen, rest) != p || rest == "" || rest[0] == '/' {
			t.Fatalf("%q: got %q in %q, want the rest of the path", p, rest, *d.preopen)
		}
	})
}
