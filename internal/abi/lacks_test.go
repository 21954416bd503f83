package abi_test

import (
	"testing"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
)

// TestLacksOfGuest checks which calls note that the guest lacks something.
func TestLacksOfGuest(t *testing.T) {
	none := func(t *testing.T) *caller { return newCaller(t, system.Config{}) }
	full := func(t *testing.T) *caller { return newNetCaller(t) } // has a directory
	openPath := func(fd uint64) func(*caller) {
		return func(c *caller) { c.call("path_open", fd, 0, path, pathLen, 0, 0, 0, 0, out) }
	}
	for _, row := range []struct {
		name  string
		guest func(*testing.T) *caller
		do    func(*caller)
		want  system.Lacks
	}{
		{"nothing was done", none, func(*caller) {}, system.Lacks{}},
		{"accept", none, func(c *caller) { c.call("sock_accept", 3, 0, out) },
			system.Lacks{Socket: true}},
		{"type of a descriptor", none, func(c *caller) { c.call("fd_fdstat_get", 3, out) },
			system.Lacks{Socket: true}},
		{"accept elsewhere", none, func(c *caller) { c.call("sock_accept", 4, 0, out) },
			system.Lacks{}},
		{"accept on nothing", none, func(c *caller) { c.call("sock_accept", minusOne, 0, out) },
			system.Lacks{}},
		{"accept on a stream", none, func(c *caller) { c.call("sock_accept", 1, 0, out) },
			system.Lacks{}},
		{"close", none, func(c *caller) { c.call("fd_close", 3) }, system.Lacks{}},
		{"path", none, openPath(3), system.Lacks{Directory: true}},
		{"path at no descriptor, as Go has it", none, openPath(minusOne),
			system.Lacks{Directory: true}},
		{"path at a stream", none, openPath(1), system.Lacks{Directory: true}},
		{"preopens", none, func(c *caller) { c.call("fd_prestat_get", 3, out) },
			system.Lacks{Preopens: true}},
		{"preopens to their end", none, func(c *caller) { c.call("fd_prestat_get", 4, out) },
			system.Lacks{}},

		{"after the directory", full, func(c *caller) { c.call("sock_accept", 4, 0, out) },
			system.Lacks{Socket: true}},
		{"the directory", full, func(c *caller) { c.call("sock_accept", 3, 0, out) },
			system.Lacks{}},
		{"path at no descriptor beside a directory", full, openPath(minusOne), system.Lacks{}},
		{"preopens with a directory", full, func(c *caller) { c.call("fd_prestat_get", 4, out) },
			system.Lacks{}},
		{"a socket of its own that is closed", full, func(c *caller) {
			fd := c.open(wasi.AddressFamilyInet4, wasi.SocketTypeStream)
			c.must("fd_close", fd)
			c.call("sock_accept", fd, 0, out)
		}, system.Lacks{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := row.guest(t)
			row.do(c)
			if got := c.guest.Lacks(); got != row.want {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
		})
	}
}

// TestDescriptorLimitIsReported reaches the limit by each call that makes a descriptor.
func TestDescriptorLimitIsReported(t *testing.T) {
	for name, do := range map[string]func(*caller){
		"path_open": func(c *caller) {
			c.putPath(path, "file1")
			c.call("path_open", dir, 1, path, pathLen, 0, uint64(wasi.RightsFile), 0, 0, out)
		},
		"sock_open": func(c *caller) {
			c.call("sock_open", minusOne, wasi.AddressFamilyInet4, wasi.SocketTypeStream, out)
		},
	} {
		t.Run(name, func(t *testing.T) {
			told := 0
			config := netConfig(t)
			config.MaxDescriptors = 4
			config.OnLimit = func(name string, limit int) {
				if told++; name != "descriptors" || limit != 4 {
					t.Errorf("got %s = %d, want descriptors = 4", name, limit)
				}
			}
			c := newCaller(t, config)
			do(c)
			do(c)
			if told != 2 {
				t.Errorf("got %d calls of OnLimit, want 2", told)
			}
		})
	}
}
