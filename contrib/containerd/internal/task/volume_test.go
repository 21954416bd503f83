package task

import (
	"strings"
	"testing"
)

// TestVolumeInReadOnlyRoot writes to volumes, which have modes of their own.
func TestVolumeInReadOnlyRoot(t *testing.T) {
	s := newShim(t, "internal/guests/escape.wasm", "rw/new", "ro/new", "new")
	s.spec.Root.Readonly = true
	s.write("volume/in", "")
	s.mount("volume", "/rw", "rw")
	s.mount("volume", "/ro", "ro")
	out, errs, _ := s.run()
	for _, want := range []string{"create rw/new 0 OK", "create ro/new 69 EROFS",
		"create new 69 EROFS"} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("got %q and\n%s\nwant %q", errs, out, want)
		}
	}
}

// TestPolicyFile reads a policy from a volume, unless the guest could write one for the container
// that follows.
func TestPolicyFile(t *testing.T) {
	for _, row := range []struct{ mode, want string }{
		{"ro", ""}, {"rw", "the guest could change \"/policy/file\""},
	} {
		s := newShim(t, modules+"hello.wasm")
		s.write("volume/file", `allow = ["resolve *"]`)
		s.mount("volume", "/policy", row.mode)
		s.spec.Annotations["wasport.dev/policy-file"] = "/policy/file"
		err := s.create()
		if row.want == "" && err != nil ||
			row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s: got %v, want %q", row.mode, err, row.want)
		}
	}
}
