package system

import (
	"net"
	"net/netip"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// TestFinishConnect connects in non-blocking mode, to a listener and to a closed port, and asks for
// the result before and after a poll.
func TestFinishConnect(t *testing.T) {
	for _, test := range []struct {
		name, at string
		family   network.Family
		closed   bool
		want     error
	}{
		{"IPv4", "127.0.0.1:0", network.IPv4, false, nil},
		{"IPv6", "[::1]:0", network.IPv6, false, nil},
		{"closed port, IPv4", "127.0.0.1:0", network.IPv4, true, syscall.ECONNREFUSED},
		{"closed port, IPv6", "[::1]:0", network.IPv6, true, syscall.ECONNREFUSED},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := net.Listen("tcp", test.at)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			at := netip.MustParseAddrPort(l.Addr().String())
			if test.closed {
				at = testutil.ClosedPort(t, at.Addr().String())
			}
			th := lookupThread(t, kernel.New(kernel.Config{}), 0)
			fd := openNonblocking(t, th, test.family, network.Stream)
			if err := th.FinishConnect(fd); err != syscall.ENOTCONN {
				t.Errorf("before a connect: got %v, want %v", err, syscall.ENOTCONN)
			}
			err = th.Connect(fd, at)
			if err != syscall.EINPROGRESS {
				t.Fatalf("got %v from connect, want %v", err, syscall.EINPROGRESS)
			}
			if _, err := th.Poll([]Subscription{{Kind: Writing, FD: fd}}, false); err != nil {
				t.Fatal(err)
			}
			if err := th.FinishConnect(fd); err != test.want {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// TestAvailable counts the bytes that can be read.
func TestAvailable(t *testing.T) {
	r := newReader(t)
	for _, test := range []struct {
		name string
		fd   int32
		sent int
		want error
	}{
		{"nothing", r.fd, 0, nil},
		{"some", r.fd, 1000, nil},
		{"no socket", 1, 0, syscall.ENOTSOCK},
		{"closed", 99, 0, syscall.EBADF},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.sent > 0 {
				r.send(test.sent)
				r.awaitReadable(uint64(test.sent))
			}
			if n, err := r.Available(test.fd); n != test.sent || err != test.want {
				t.Errorf("got %d, %v, want %d, %v", n, err, test.sent, test.want)
			}
		})
	}
}

func openNonblocking(t *testing.T, th *Thread, family network.Family, typ network.Type) int32 {
	t.Helper()
	fd, err := th.Open(family, typ)
	if err == nil {
		err = th.SetFlags(fd, wasi.FdflagNonblock)
	}
	if err != nil {
		t.Fatal(err)
	}
	return fd
}
