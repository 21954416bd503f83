package kernel

import (
	"bytes"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/network"
)

// rawRows are networks with and without the shortcut.
var rawRows = []struct {
	name    string
	without []string
	taken   bool
}{{"raw calls", []string{}, true}, {"without", []string{"raw-calls"}, false}}

// newPair returns the two ends of a connection over loopback, the accepted one last.
func newPair(t *testing.T, without []string) (pair [2]*socket) {
	t.Helper()
	n := New(Config{Without: without})
	open := func() *socket {
		s, err := n.Open(network.IPv4, network.Stream)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s.(*socket)
	}
	l, c := open(), open()
	if err := l.Bind(netip.MustParseAddrPort("127.0.0.1:0")); err != nil {
		t.Fatal(err)
	}
	if err := l.Listen(1); err != nil {
		t.Fatal(err)
	}
	to, err := l.LocalAddr()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Connect(to); err != nil && err != syscall.EINPROGRESS {
		t.Fatal(err)
	}
	l.Wait(network.Readable, time.Time{})
	a, _, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	if err := c.FinishConnect(); err != nil {
		t.Fatal(err)
	}
	return [2]*socket{c, a.(*socket)}
}

// TestBufferLimitsAreKnown gives the socket a descriptor with which every system call fails.
func TestBufferLimitsAreKnown(t *testing.T) {
	var limits [2][2]int64
	for i, row := range rawRows {
		t.Run(row.name, func(t *testing.T) {
			for _, s := range newPair(t, row.without) {
				recv, send, err := s.BufferLimits()
				if err != nil {
					t.Fatal(err)
				}
				if limits[i] = [2]int64{recv, send}; limits[i] != limits[0] {
					t.Errorf("got limits %v, want %v as with the shortcut", limits[i], limits[0])
				}
				asked := func() bool {
					fd := s.fd
					s.fd = -1
					_, _, err := s.BufferLimits()
					s.fd = fd
					return err != nil
				}
				if got := asked(); got == row.taken {
					t.Errorf("asked the kernel: got %v, want %v", got, !row.taken)
				}
				if err := s.SetOption(network.RecvBuffer, 1<<20); err != nil {
					t.Fatal(err)
				}
				if !asked() {
					t.Error("asked the kernel for a size that was set: got false, want true")
				}
			}
		})
	}
}

// TestUnsentIsFollowed fills the connection, so that the kernel keeps bytes beyond the close.
func TestUnsentIsFollowed(t *testing.T) {
	for _, row := range rawRows {
		for end, name := range []string{"connected", "accepted"} {
			t.Run(row.name+"/"+name, func(t *testing.T) {
				s := newPair(t, row.without)[end]
				if u := s.Unsent(); u != nil {
					t.Errorf("got %v unsent before the first send, want nil", u)
				}
				piece := bytes.Repeat([]byte{1}, 1<<16)
				for {
					_, err := s.Send([][]byte{piece}, netip.AddrPort{})
					if err == syscall.EAGAIN {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				u := s.Unsent()
				if u == nil {
					t.Fatal("got nothing unsent, want the bytes that the peer has not read")
				}
				u.Close()
			})
		}
	}
}

// TestDescriptorsAreClosed closes sockets on each way, and looks the descriptors up.
func TestDescriptorsAreClosed(t *testing.T) {
	for _, row := range rawRows {
		t.Run(row.name, func(t *testing.T) {
			for i, s := range newPair(t, row.without) {
				if i == 0 {
					s.Unsent()
				}
				fd := s.fd
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if _, err := sysGetsockname(fd); err != syscall.EBADF {
					t.Errorf("got %v for the descriptor, want EBADF", err)
				}
				if err := s.Close(); err == nil {
					t.Error("second Close: got nil, want an error")
				}
			}
		})
	}
}
