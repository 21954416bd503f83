package kernel_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// in returns the address of a name in a directory.
func in(t *testing.T, dir, name string) network.UnixAddr {
	return network.UnixAddr{Path: "/" + name, Open: func(use func(uintptr, string) error) error {
		d, err := os.Open(dir)
		check(t, err)
		defer d.Close()
		return use(d.Fd(), name)
	}}
}

func unixSocket(t *testing.T) network.UnixSocket {
	return open(t, network.Unix, network.Stream).(network.UnixSocket)
}

// TestUnixPaths binds, listens and connects, natively on the other side.
func TestUnixPaths(t *testing.T) {
	dir := t.TempDir()
	l := unixSocket(t)
	wantErr(t, "listen without a path", l.(network.Socket).Listen(5), syscall.EINVAL)
	check(t, l.BindUnix(in(t, dir, "s")))
	wantErr(t, "bind again", l.BindUnix(in(t, dir, "other")), syscall.EINVAL)
	check(t, l.(network.Socket).Listen(5))
	wantErr(t, "connect a listener", l.ConnectUnix(in(t, dir, "s")), syscall.EINVAL)
	peer := must[net.Conn](t)(net.Dial("unix", filepath.Join(dir, "s")))
	defer peer.Close()
	s, from := accept(t, l.(network.Socket))
	if from != unixAddr {
		t.Errorf("got a connection from %v, want %v", from, unixAddr)
	}
	must[int](t)(peer.Write([]byte("hello")))
	b := make([]byte, 8)
	if r := recv(t, s, b); string(b[:r.N]) != "hello" {
		t.Errorf("got %q, want %q", b[:r.N], "hello")
	}

	native := must[*net.UnixListener](t)(net.ListenUnix("unix",
		&net.UnixAddr{Name: filepath.Join(dir, "native"), Net: "unix"}))
	defer native.Close()
	c := unixSocket(t)
	check(t, c.ConnectUnix(in(t, dir, "native")))
	wantErr(t, "connect again", c.ConnectUnix(in(t, dir, "native")), syscall.EISCONN)
	wantErr(t, "connect to an address", c.(network.Socket).Connect(unixAddr), syscall.EINVAL)
	a := must[net.Conn](t)(native.Accept())
	defer a.Close()
	must[int](t)(c.(network.Socket).Send([][]byte{[]byte("there")}, unixAddr))
	if n, err := a.Read(b); string(b[:n]) != "there" || err != nil {
		t.Errorf("got %q, %v, want %q", b[:n], err, "there")
	}

	lone := open(t, network.Unix, network.Stream)
	_, err := lone.Send([][]byte{b}, unixAddr)
	wantErr(t, "send without a connection", err, syscall.ENOTCONN)

	tcp := open(t, network.IPv4, network.Stream).(network.UnixSocket)
	wantErr(t, "bind a socket of TCP", tcp.BindUnix(in(t, dir, "t")), syscall.EAFNOSUPPORT)
	wantErr(t, "connect one", tcp.ConnectUnix(in(t, dir, "s")), syscall.EAFNOSUPPORT)
	for _, typ := range []network.Type{network.Datagram, network.AnyType} {
		_, err := kernel.New(kernel.Config{}).Open(network.Unix, typ)
		wantErr(t, "open "+typ.String(), err, syscall.EPROTONOSUPPORT)
	}
}

// TestUnixFiles binds at and connects to files of each kind.
func TestUnixFiles(t *testing.T) {
	dir := t.TempDir()
	check(t, os.WriteFile(dir+"/file", nil, 0o600))
	check(t, os.Mkdir(dir+"/dir", 0o700))
	check(t, unix.Mkfifo(dir+"/fifo", 0o600))
	check(t, os.Symlink("live", dir+"/link"))
	check(t, os.Symlink("nowhere", dir+"/dangling"))
	for _, name := range []string{"live", "stale"} {
		l := must[*net.UnixListener](t)(net.ListenUnix("unix",
			&net.UnixAddr{Name: filepath.Join(dir, name), Net: "unix"}))
		l.SetUnlinkOnClose(false)
		defer l.Close()
		if name == "stale" {
			l.Close()
		}
	}
	for _, row := range []struct {
		name          string
		bind, connect error
	}{
		{"live", syscall.EADDRINUSE, nil},
		{"stale", syscall.EADDRINUSE, syscall.ECONNREFUSED},
		{"file", syscall.EADDRINUSE, syscall.ECONNREFUSED},
		{"dir", syscall.EADDRINUSE, syscall.ECONNREFUSED},
		{"fifo", syscall.EADDRINUSE, syscall.ECONNREFUSED},
		{"link", syscall.EADDRINUSE, syscall.ELOOP},
		{"dangling", syscall.EADDRINUSE, syscall.ELOOP},
		{"new", nil, syscall.ECONNREFUSED},
		{"missing", nil, nil},
		{strings.Repeat("n", 80), nil, syscall.ECONNREFUSED},
		{strings.Repeat("n", 108), syscall.ENAMETOOLONG, syscall.ENOENT},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.name == "missing" {
				wantErr(t, "connect", unixSocket(t).ConnectUnix(in(t, dir, row.name)),
					syscall.ENOENT)
				return
			}
			wantErr(t, "bind", unixSocket(t).BindUnix(in(t, dir, row.name)), row.bind)
			wantErr(t, "connect", unixSocket(t).ConnectUnix(in(t, dir, row.name)), row.connect)
		})
	}
	if _, err := os.Lstat(dir + "/nowhere"); !os.IsNotExist(err) {
		t.Errorf("got %v for the target of the dangling link, want no file", err)
	}
}

// TestUnixBacklogFull connects until no more connections fit, and again once one was accepted.
func TestUnixBacklogFull(t *testing.T) {
	dir := t.TempDir()
	l := unixSocket(t)
	check(t, l.BindUnix(in(t, dir, "s")))
	check(t, l.(network.Socket).Listen(1))
	var c network.UnixSocket
	var err error
	for range 8 {
		c = unixSocket(t)
		if err = c.ConnectUnix(in(t, dir, "s")); err != nil {
			break
		}
	}
	if err != network.ErrBacklogFull {
		t.Fatalf("got %v, want %v", err, network.ErrBacklogFull)
	}
	accept(t, l.(network.Socket))
	check(t, c.ConnectUnix(in(t, dir, "s")))
}

// TestUnixListenerShutDown ends a listener: Accept must not say that a connection may still come.
func TestUnixListenerShutDown(t *testing.T) {
	l := unixSocket(t)
	check(t, l.BindUnix(in(t, t.TempDir(), "s")))
	s := l.(network.Socket)
	check(t, s.Listen(5))
	ended := make(chan error)
	go func() {
		_, err := s.Wait(network.Readable, time.Time{})
		ended <- err
	}()
	check(t, s.Shutdown(network.ShutRead))
	wantErr(t, "wait", <-ended, nil)
	_, _, err := s.Accept()
	wantErr(t, "accept", err, syscall.EINVAL)
}

// TestUnixConnectWhileLinkReplacesSocket connects while the file is exchanged with a symbolic link
// to another socket, over and over. No connection may reach that.
func TestUnixConnectWhileLinkReplacesSocket(t *testing.T) {
	dir := t.TempDir()
	listen := func(name string) *net.UnixListener {
		l := must[*net.UnixListener](t)(net.ListenUnix("unix",
			&net.UnixAddr{Name: filepath.Join(dir, name), Net: "unix"}))
		t.Cleanup(func() { l.Close() })
		return l
	}
	inside, outside := listen("s"), listen("outside")
	check(t, os.Symlink("outside", dir+"/link"))
	go func() {
		for {
			c, err := inside.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	stop, stopped := make(chan struct{}), make(chan error)
	go func() {
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			if err := unix.Renameat2(unix.AT_FDCWD, dir+"/s", unix.AT_FDCWD, dir+"/link",
				unix.RENAME_EXCHANGE); err != nil {
				stopped <- err
				return
			}
		}
	}()
	results := make(map[error]int)
	for range 2000 {
		s := must[network.Socket](t)(kernel.New(kernel.Config{}).Open(network.Unix, network.Stream))
		results[s.(network.UnixSocket).ConnectUnix(in(t, dir, "s"))]++
		s.Close()
	}
	close(stop)
	check(t, <-stopped)
	if results[nil] == 0 || results[syscall.ELOOP] == 0 {
		t.Errorf("got %v, want connections, and links that were refused", results)
	}
	check(t, outside.SetDeadline(time.Now().Add(-time.Second)))
	if c, err := outside.Accept(); err == nil {
		t.Errorf("got a connection at the link's target, want none")
		c.Close()
	}
}
