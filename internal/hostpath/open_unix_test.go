//go:build unix

package hostpath

import "testing"

func TestIsDescriptor(t *testing.T) {
	for path, want := range map[string]bool{
		"/dev/fd/3": true, "/proc/self/fd/10": true,
		"/dev/fd/": false, "/dev/fd/3x": false, "/dev/fd/-1": false, "/dev/fd/3/x": false,
		"/proc/1/fd/3": false, "dev/fd/3": false, "/x/dev/fd/3": false, "/dev/fd": false,
	} {
		if got := isDescriptor(path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}
