package system

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// The descriptors of newUnixPathGuest: directories called /run, /run/app and /other.
const (
	runFD = firstPreopen + iota
	appFD
	otherFD
)

func newUnixPathGuest(t *testing.T) *Guest {
	return guestWithDirs(t, [][2]string{{"around", "/run"}, {"inner", "/run/app"},
		{"other", "/other"}})
}

// guestWithDirs has directories of the host under other names.
func guestWithDirs(t *testing.T, dirs [][2]string) *Guest {
	base := t.TempDir()
	testutil.MakeTree(t, base, "around/", "around/app/", "inner/", "other/")
	var preopens []Preopen
	for _, p := range dirs {
		host, name := p[0], p[1]
		d, err := hostfs.OpenRoot(filepath.Join(base, host), hostfs.ReadWrite)
		if err != nil {
			t.Fatal(err)
		}
		preopens = append(preopens, Preopen{Dir: d, Name: name})
	}
	return newTestGuest(t, preopens...)
}

// dirOfUnixPath returns the name of the host's directory in which a path's file is looked up.
func dirOfUnixPath(g *Guest, p string) (name string, err error) {
	err = g.unixAddr(p, false).Open(func(dir uintptr, _ string) error {
		host, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", dir))
		name = filepath.Base(host)
		return err
	})
	return name, err
}

// TestUnixPathChoosesDirectory looks a path up where several directories contain it.
func TestUnixPathChoosesDirectory(t *testing.T) {
	for _, row := range []struct {
		name, path string
		dirs       [][2]string
	}{
		{"the longer name", "/a/s", [][2]string{{"inner", "/a"}, {"other", "/"}}},
		{"the longer name last", "/a/s", [][2]string{{"other", "/"}, {"inner", "/a"}}},
		{"the root", "/s", [][2]string{{"inner", "/"}, {"other", "."}}},
		{"the root last", "/s", [][2]string{{"other", "."}, {"inner", "/"}}},
		{"the absolute name", "/a/s", [][2]string{{"inner", "/a"}, {"other", "a"}}},
		{"a longer relative name", "/a/s", [][2]string{{"inner", "a"}, {"other", "/"}}},
		{"the last of equal ones", "/a/s", [][2]string{{"other", "/a"}, {"inner", "/a/"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := dirOfUnixPath(guestWithDirs(t, row.dirs), row.path)
			if got != "inner" || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, "inner")
			}
		})
	}
}

// TestUnixPathKeepsItsDirectory closes, moves and replaces the directories that a guest was given.
// None of that leads a path into another directory.
func TestUnixPathKeepsItsDirectory(t *testing.T) {
	for _, row := range []struct {
		name string
		do   func(g *Guest) error
		want string
		err  error
	}{
		{"nothing", func(*Guest) error { return nil }, "inner", nil},
		{"close", func(g *Guest) error { return g.CloseFD(appFD) }, "", wasi.ENOTCAPABLE},
		{"close the one around it", func(g *Guest) error { return g.CloseFD(runFD) }, "inner", nil},
		{"move", func(g *Guest) error { return g.Renumber(appFD, otherFD) }, "inner", nil},
		{"replace", func(g *Guest) error { return g.Renumber(otherFD, appFD) }, "",
			wasi.ENOTCAPABLE},
		{"replace by a copy", func(g *Guest) error { return g.DupTo(otherFD, appFD) }, "",
			wasi.ENOTCAPABLE},
		{"close all but a copy", func(g *Guest) error {
			if _, err := g.Dup(appFD, 0); err != nil {
				return err
			}
			return g.CloseFD(appFD)
		}, "", wasi.ENOTCAPABLE},
		{"give up its rights", func(g *Guest) error { return g.SetRights(appFD, 0, 0) }, "",
			wasi.ENOTCAPABLE},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := newUnixPathGuest(t)
			if err := row.do(g); err != nil {
				t.Fatal(err)
			}
			if got, err := dirOfUnixPath(g, "/run/app/s"); got != row.want || err != row.err {
				t.Errorf("got %q, %v, want %q, %v", got, err, row.want, row.err)
			}
		})
	}
}

// TestUnixPathWhileNumbersChange looks paths up while another thread gives the directory's number
// to another one, and back.
func TestUnixPathWhileNumbersChange(t *testing.T) {
	g := newUnixPathGuest(t)
	const moved = 20
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			// The place, the move to it, the other directory, and the move back.
			err := g.DupTo(otherFD, moved)
			if err == nil {
				err = g.Renumber(appFD, moved)
			}
			if err == nil {
				_, err = g.Dup(otherFD, appFD)
			}
			if err == nil {
				err = g.Renumber(moved, appFD)
			}
			if err != nil {
				stopped <- err
				return
			}
		}
	}()
	for range 20000 {
		if got, err := dirOfUnixPath(g, "/run/app/s"); got != "inner" || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, "inner")
			break
		}
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
}

// TestUnixSocketTakesNoIPAddress names an address of IP for a Unix-domain socket.
func TestUnixSocketTakesNoIPAddress(t *testing.T) {
	th := newThread(t, Config{Network: kernel.New(kernel.Config{})})
	fd, err := th.Open(network.Unix, network.Stream)
	if err != nil {
		t.Fatal(err)
	}
	to := netip.MustParseAddrPort("127.0.0.1:9")
	if err := th.Connect(fd, to); err != syscall.EINVAL {
		t.Errorf("Connect: got %v, want EINVAL", err)
	}
	if err := th.Bind(fd, to); err != syscall.EINVAL {
		t.Errorf("Bind: got %v, want EINVAL", err)
	}
}
