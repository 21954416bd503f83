//go:build unix

package kernel_test

import (
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// unixAddr is the address that a Unix-domain socket has for its users.
var unixAddr = netip.MustParseAddrPort("0.0.0.0:0")

// unixListener adopts a listener at a path in a directory of the test.
func unixListener(t *testing.T) (network.Socket, string) {
	path := filepath.Join(t.TempDir(), "s")
	l := must[*net.UnixListener](t)(net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"}))
	t.Cleanup(func() { l.Close() })
	s := must[network.Socket](t)(kernel.Adopt(l))
	t.Cleanup(func() { s.Close() })
	return s, path
}

// TestUnixListener accepts a connection, and uses it in each way that a stream has.
func TestUnixListener(t *testing.T) {
	l, path := unixListener(t)
	if l.Family() != network.Unix || l.Type() != network.Stream {
		t.Errorf("got a socket of family %v and type %v, want a Unix-domain stream", l.Family(),
			l.Type())
	}
	if a, err := l.LocalAddr(); a != unixAddr || err != nil {
		t.Errorf("listener: got local address %v, %v, want %v", a, err, unixAddr)
	}
	_, err := l.RemoteAddr()
	wantErr(t, "remote address of a listener", err, syscall.ENOTCONN)
	if v, err := l.Option(network.AcceptConn); v != 1 || err != nil {
		t.Errorf("AcceptConn: got %d, %v, want 1", v, err)
	}
	_, _, err = l.Accept()
	wantErr(t, "accept without a peer", err, syscall.EAGAIN)

	c := must[net.Conn](t)(net.Dial("unix", path)).(*net.UnixConn)
	defer c.Close()
	s, from := accept(t, l)
	if from != unixAddr || s.Family() != network.Unix {
		t.Errorf("got %v from %v, want a Unix-domain stream from %v", s.Family(), from, unixAddr)
	}
	for name, get := range map[string]func() (netip.AddrPort, error){"local": s.LocalAddr,
		"remote": s.RemoteAddr} {
		if a, err := get(); a != unixAddr || err != nil {
			t.Errorf("%s address: got %v, %v, want %v", name, a, err, unixAddr)
		}
	}
	wantErr(t, "bind", s.Bind(unixAddr), syscall.EINVAL)
	wantErr(t, "connect", s.Connect(netip.MustParseAddrPort("127.0.0.1:1")), syscall.EINVAL)
	_, err = s.Recv(one(make([]byte, 8)), 0)
	wantErr(t, "receive before data", err, syscall.EAGAIN)

	must[int](t)(c.Write([]byte("hello")))
	b := make([]byte, 8)
	if r := recv(t, s, b); string(b[:r.N]) != "hello" || r.From != unixAddr {
		t.Errorf("got %q from %v, want %q from %v", b[:r.N], r.From, "hello", unixAddr)
	}
	must[int](t)(s.Send([][]byte{[]byte("wor"), []byte("ld")}, unixAddr))
	check(t, s.Shutdown(network.ShutWrite))
	if got, err := io.ReadAll(c); string(got) != "world" || err != nil {
		t.Errorf("got %q, %v, want %q and the end", got, err, "world")
	}
	must[int](t)(c.Write([]byte("more")))
	if r := recv(t, s, b); string(b[:r.N]) != "more" {
		t.Errorf("after the half-close: got %q, want %q", b[:r.N], "more")
	}
	check(t, c.Close())
	if r := recv(t, s, b); r.N != 0 {
		t.Errorf("got %q, want the end", b[:r.N])
	}
	_, err = s.Send(one([]byte("x")), unixAddr)
	wantErr(t, "send to a closed peer", err, syscall.EPIPE)
}

// TestUnixSocketOptions reads and sets every option: those of TCP and IP do not exist.
func TestUnixSocketOptions(t *testing.T) {
	l, path := unixListener(t)
	c := must[net.Conn](t)(net.Dial("unix", path))
	defer c.Close()
	s, _ := accept(t, l)
	has := map[network.Option]bool{network.ReuseAddr: true, network.ReusePort: true,
		network.KeepAlive: true, network.Broadcast: true, network.Linger: true,
		network.RecvBuffer: true, network.SendBuffer: true, network.PendingError: true,
		network.AcceptConn: true}
	for o := range network.Options {
		_, err := s.Option(o)
		if has[o] && err != nil {
			t.Errorf("option %d: got %v, want none", o, err)
		} else if !has[o] {
			wantErr(t, "get an option", err, syscall.EOPNOTSUPP)
			wantErr(t, "set an option", s.SetOption(o, 1), syscall.ENOPROTOOPT)
		}
	}
	recv, send, err := s.(network.Buffered).BufferLimits()
	r, _ := s.Option(network.RecvBuffer)
	w, _ := s.Option(network.SendBuffer)
	if recv != r || send != w || err != nil {
		t.Errorf("got limits %d, %d, %v, want %d and %d, which the kernel does not tune", recv,
			send,
			err, r, w)
	}
}

// TestUnixPeerPassesDescriptors has a peer pass a descriptor, which the host closes: the reader
// gets the bytes alone, and the pipe has no writer any more.
func TestUnixPeerPassesDescriptors(t *testing.T) {
	l, path := unixListener(t)
	c := must[net.Conn](t)(net.Dial("unix", path)).(*net.UnixConn)
	defer c.Close()
	s, _ := accept(t, l)
	r, w, err := os.Pipe()
	check(t, err)
	defer r.Close()
	if _, _, err := c.WriteMsgUnix([]byte("x"), unix.UnixRights(int(w.Fd())), nil); err != nil {
		t.Fatal(err)
	}
	check(t, w.Close())
	b := make([]byte, 8)
	if r := recv(t, s, b); string(b[:r.N]) != "x" {
		t.Errorf("got %q, want %q", b[:r.N], "x")
	}
	check(t, r.SetReadDeadline(soon()))
	if n, err := r.Read(b); n != 0 || err != io.EOF {
		t.Errorf("got %d, %v, want the end of the pipe", n, err)
	}
}

// TestAdoptUnixConnection adopts a connection. Close wakes a reader.
func TestAdoptUnixConnection(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	check(t, err)
	ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	defer theirs.Close()
	s := must[network.Socket](t)(kernel.Adopt(ours))
	check(t, ours.Close())
	wantErr(t, "finish connect", s.FinishConnect(), nil)
	must[int](t)(s.Send(one([]byte("hello")), unixAddr))
	b := make([]byte, 8)
	if n, err := theirs.Read(b); string(b[:n]) != "hello" || err != nil {
		t.Errorf("got %q, %v, want %q", b[:n], err, "hello")
	}
	ended := make(chan error)
	go func() {
		_, err := s.Wait(network.Readable, time.Time{})
		ended <- err
	}()
	check(t, s.Close())
	wantErr(t, "wait", <-ended, net.ErrClosed)
}

// TestAdoptOtherUnixSockets adopts sockets that no guest could use.
func TestAdoptOtherUnixSockets(t *testing.T) {
	for name, test := range map[string]struct {
		typ  int
		want error
	}{
		"datagrams":    {unix.SOCK_DGRAM, syscall.EPROTOTYPE},
		"packets":      {unix.SOCK_SEQPACKET, syscall.EPROTOTYPE},
		"unconnected":  {unix.SOCK_STREAM, syscall.ENOTCONN},
		"no socket":    {-1, syscall.ENOTSOCK},
		"other family": {-2, syscall.EAFNOSUPPORT},
	} {
		t.Run(name, func(t *testing.T) {
			var f *os.File
			switch test.typ {
			case -1:
				f = must[*os.File](t)(os.Open(os.DevNull))
			case -2:
				fd, err := unix.Socket(unix.AF_ROUTE, unix.SOCK_RAW, 0)
				if err != nil {
					t.Skip("this system has no such family: ", err)
				}
				f = os.NewFile(uintptr(fd), name)
			default:
				fd, err := unix.Socket(unix.AF_UNIX, test.typ, 0)
				if err != nil {
					t.Skip("this system has no such type: ", err)
				}
				f = os.NewFile(uintptr(fd), name)
			}
			defer f.Close()
			s, err := kernel.Adopt(f)
			wantErr(t, "adopt", err, test.want)
			if s != nil {
				t.Errorf("got a socket, want none")
			}
		})
	}
}
