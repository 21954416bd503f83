package abi_test

import (
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// unixCaller returns a guest that may use every path but "/rw/denied", with a directory of the
// host's as "/rw", and read-only as "/ro" and as "rel".
func unixCaller(t *testing.T, host string) *caller {
	t.Helper()
	rules, err := policy.Rules(policy.Connect(policy.Unix, policy.Any),
		policy.Listen(policy.Unix, policy.Any), policy.Connect(policy.Unix, "/rw/denied").Deny())
	if err != nil {
		t.Fatal(err)
	}
	var preopens []system.Preopen
	for _, p := range []struct {
		name   string
		access hostfs.Access
		quota  uint64
	}{{"/rw", hostfs.ReadWrite, 0}, {"/ro/", hostfs.ReadOnly, 0}, {"rel", hostfs.ReadOnly, 0},
		{"/full", hostfs.ReadWrite, 1}, {"/rw/deeper", hostfs.ReadOnly, 0}} {
		root, err := hostfs.OpenRoot(host, p.access)
		if err != nil {
			t.Fatal(err)
		}
		preopens = append(preopens, system.Preopen{Dir: root, Name: p.name, Quota: p.quota})
	}
	return newCaller(t, system.Config{Preopens: preopens,
		Network: guard.New(kernel.New(kernel.Config{}), policy.New(rules, policy.Limits{}),
			guard.Options{})})
}

// atPath makes a call with a socket and a path.
func (c *caller) atPath(call string, fd uint64, p string) wasi.Errno {
	c.putPath(path, p)
	return c.call(call, fd, path, uint64(len(p)))
}

// TestUnixPathsOfGuest connects and binds at paths that lead to a socket, elsewhere, and nowhere.
func TestUnixPathsOfGuest(t *testing.T) {
	base := t.TempDir()
	host := filepath.Join(base, "in")
	for _, dir := range []string{host, host + "/sub", base + "/out"} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"up": "..", "out": "../out", "same": "sub",
		"link": "s"} {
		if err := os.Symlink(to, filepath.Join(host, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"in/s", "in/sub/s", "out/s", "s", "in/denied"} {
		l, err := net.Listen("unix", filepath.Join(base, name))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	long := strings.Repeat("n", 200)
	for _, row := range []struct {
		path          string
		connect, bind wasi.Errno
	}{
		{"/rw/s", wasi.Success, wasi.EADDRINUSE}, {"rw/s", wasi.Success, wasi.EADDRINUSE},
		{"/ro/s", wasi.Success, wasi.EROFS}, {"/rel/s", wasi.Success, wasi.EROFS},
		{"rel/s", wasi.Success, wasi.EROFS}, {"/rw/sub/s", wasi.Success, wasi.EADDRINUSE},
		{"/rw/./sub//s", wasi.Success, wasi.EADDRINUSE},
		{"/rw/none/../s", wasi.Success, wasi.EADDRINUSE},
		{"/rw/../rw/s", wasi.Success, wasi.EADDRINUSE}, {"/../../rw/s", wasi.Success,
			wasi.EADDRINUSE},
		{"/rw/deeper/s", wasi.Success, wasi.EROFS},

		{"/rw/denied", wasi.EACCES, wasi.EADDRINUSE}, {"/ro/../rw/denied", wasi.EACCES,
			wasi.EADDRINUSE},
		{"/rw/../s", wasi.ENOTCAPABLE, wasi.ENOTCAPABLE}, {"/s", wasi.ENOTCAPABLE,
			wasi.ENOTCAPABLE},
		{"/rwx/s", wasi.ENOTCAPABLE, wasi.ENOTCAPABLE}, {"/rw", wasi.ENOTCAPABLE,
			wasi.ENOTCAPABLE},
		{"..", wasi.ENOTCAPABLE, wasi.ENOTCAPABLE}, {".", wasi.ENOTCAPABLE, wasi.ENOTCAPABLE},
		{base + "/s", wasi.ENOTCAPABLE, wasi.ENOTCAPABLE},
		{host + "/s", wasi.ENOTCAPABLE, wasi.ENOTCAPABLE},
		{"/proc/self/fd/3/s", wasi.ENOTCAPABLE, wasi.ENOTCAPABLE},

		{"/rw/up/s", wasi.ELOOP, wasi.ELOOP}, {"/rw/out/s", wasi.ELOOP, wasi.ELOOP},
		{"/rw/same/s", wasi.ELOOP, wasi.ELOOP}, {"/rw/link", wasi.ELOOP, wasi.EADDRINUSE},
		{"/rw/s/x", wasi.ENOTDIR, wasi.ENOTDIR}, {"/rw/s/", wasi.ENOTDIR, wasi.ENOTDIR},
		{"/rw/sub", wasi.ECONNREFUSED, wasi.EADDRINUSE},
		{"/rw/none", wasi.ENOENT, wasi.Success}, {"/rw/none/x", wasi.ENOENT, wasi.ENOENT},
		{"/full/new", wasi.ENOENT, wasi.ENOSPC},

		{"", wasi.ENOENT, wasi.ENOENT}, {"\x00/rw/s", wasi.EINVAL, wasi.EINVAL},
		{"/rw/s\x00", wasi.EINVAL, wasi.EINVAL}, {"/rw/s\x00x", wasi.EINVAL, wasi.EINVAL},
		{"/rw/" + long, wasi.ENAMETOOLONG, wasi.ENAMETOOLONG},
		{"/rw/\xff\xfe", wasi.ENOENT, wasi.Success},
	} {
		t.Run(strings.ReplaceAll(row.path[:min(len(row.path), 30)], base, "BASE"),
			func(t *testing.T) {
				c := unixCaller(t, host)
				fd := c.unixSocket()
				if e := c.atPath("sock_unix_connect", fd, row.path); e != row.connect {
					t.Errorf("connect: got %v, want %v", e, row.connect)
				}
				fd = c.unixSocket()
				if e := c.atPath("sock_unix_bind", fd, row.path); e != row.bind {
					t.Errorf("bind: got %v, want %v", e, row.bind)
				} else if e == wasi.Success {
					os.Remove(host + strings.TrimPrefix(row.path, "/rw"))
				}
			})
	}
	if got, err := filepath.Glob(base + "/*"); len(got) != 3 || err != nil {
		t.Errorf("got the files %q, %v, want only those of the test", got, err)
	}
}

// TestUnixPathIsTold reads paths into buffers of each size.
func TestUnixPathIsTold(t *testing.T) {
	c := unixCaller(t, t.TempDir())
	l, unbound := c.unixSocket(), c.unixSocket()
	if e := c.atPath("sock_unix_bind", l, "rw/./s"); e != wasi.Success {
		t.Fatal(e)
	}
	c.must("sock_listen", l, 5)
	client := c.unixSocket()
	if e := c.atPath("sock_unix_connect", client, "/rw/s"); e != wasi.Success {
		t.Fatal(e)
	}
	c.must("sock_accept", l, 0, out)
	accepted := c.u32(out)
	for _, row := range []struct {
		name     string
		fd, peer uint64
		want     string
		errno    wasi.Errno
	}{
		{"listener", l, 0, "/rw/s", wasi.Success}, {"listener's peer", l, 1, "", wasi.ENOTCONN},
		{"client", client, 0, "", wasi.Success},
		{"client's peer", client, 1, "/rw/s", wasi.Success},
		{"accepted", accepted, 0, "/rw/s", wasi.Success},
		{"its peer", accepted, 1, "", wasi.Success}, {"unbound", unbound, 0, "", wasi.Success},
		{"neither", l, 2, "", wasi.EINVAL}, {"TCP", c.open(0, stream), 0, "", wasi.EAFNOSUPPORT},
	} {
		for capacity := range uint64(8) {
			m := c.memory()
			clear(m[out2 : out2+8])
			e := c.call("sock_unix_path", row.fd, row.peer, out2, capacity, out3)
			if e != row.errno {
				t.Fatalf("%s: got %v, want %v", row.name, e, row.errno)
			}
			if e != wasi.Success {
				continue
			}
			got := strings.TrimRight(string(m[out2:out2+8]), "\x00")
			if want := row.want[:min(int(capacity), len(row.want))]; got != want ||
				binary.LittleEndian.Uint32(m[out3:]) != uint32(len(row.want)) {
				t.Errorf("%s, %d bytes: got %q of %d, want %q of %d", row.name, capacity, got,
					c.u32(out3), want, len(row.want))
			}
		}
	}
	c.must("sock_addr_remote", client, out)
	if a := c.getAddr(out); a.String() != "0.0.0.0:0" {
		t.Errorf("got the address %v, want none", a)
	}
}

// TestUnixRights takes the rights of the directory away, and closes it.
func TestUnixRights(t *testing.T) {
	c := unixCaller(t, t.TempDir())
	c.must("fd_fdstat_set_rights", 3, uint64(wasi.RightPathOpen), 0)
	if e := c.atPath("sock_unix_bind", c.unixSocket(), "/rw/s"); e != wasi.ENOTCAPABLE {
		t.Errorf("bind without the right to create: got %v, want %v", e, wasi.ENOTCAPABLE)
	}
	if e := c.atPath("sock_unix_connect", c.unixSocket(), "/rw/s"); e != wasi.ENOENT {
		t.Errorf("connect: got %v, want %v", e, wasi.ENOENT)
	}
	c.must("fd_fdstat_set_rights", 3, 0, 0)
	if e := c.atPath("sock_unix_connect", c.unixSocket(), "/rw/s"); e != wasi.ENOTCAPABLE {
		t.Errorf("connect without rights: got %v, want %v", e, wasi.ENOTCAPABLE)
	}
	c.must("fd_close", 3)
	if e := c.atPath("sock_unix_connect", c.unixSocket(), "/rw/s"); e != wasi.ENOTCAPABLE {
		t.Errorf("connect after the close: got %v, want %v", e, wasi.ENOTCAPABLE)
	}
}
