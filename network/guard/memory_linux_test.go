package guard_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/policy"
)

// TestSocketMemory runs hostile guests that queue as many bytes as they can, in a network namespace
// of its own (network_namespaces(7)), which has no other sockets.
func TestSocketMemory(t *testing.T) {
	testutil.InNamespaces(t, unix.CLONE_NEWNET, nil, func(t *testing.T) {
		for name, f := range map[string]func(*testing.T, *hoarder){
			"largest buffers": func(t *testing.T, h *hoarder) { h.pairs(t, 1<<30, true) },
			"default buffers": func(t *testing.T, h *hoarder) { h.pairs(t, 0, true) },
			"never accepted":  func(t *testing.T, h *hoarder) { h.pairs(t, 1<<30, false) },
			"datagrams":       func(t *testing.T, h *hoarder) { h.datagrams(t) },
			"closed unsent":   func(t *testing.T, h *hoarder) { h.closing(t) },
			"shrunk":          func(t *testing.T, h *hoarder) { h.shrinking(t) },
		} {
			t.Run(name, func(t *testing.T) { hoard(t, f) })
		}
	})
}

const memoryLimit = 64 << 20

func hoard(t *testing.T, f func(*testing.T, *hoarder)) {
	testutil.BringUp(t, "lo")
	n, _ := limited(t, policy.Limits{SocketMemory: memoryLimit})
	h := &hoarder{network: n, held: make(map[network.Socket]bool)}
	defer n.Close()
	defer func() {
		for s := range h.held {
			s.Close()
		}
	}()
	f(t, h)
	if h.most > memoryLimit {
		t.Errorf("got %d MiB queued, want at most %d", h.most>>20, memoryLimit>>20)
	}
	if h.most < memoryLimit/16 {
		t.Errorf("got %d KiB queued, of %d; the guest did not try", h.most>>10, memoryLimit>>10)
	}
	t.Logf("queued %d KiB of %d with %d sockets, %d refused", h.most>>10, memoryLimit>>10,
		len(h.held), h.refused)
}

// hoarder is a guest that occupies as much of the host's memory as it can.
type hoarder struct {
	network *guard.Network
	held    map[network.Socket]bool
	refused int
	most    int64
}

// open opens a socket with buffers as large as permitted.
func (h *hoarder) open(t *testing.T, buffer int64) network.Socket {
	s, err := h.network.Open(network.IPv4, network.Stream)
	if err == syscall.ENOBUFS {
		h.refused++
		return nil
	}
	must(t, err)
	h.held[s] = true
	h.enlarge(t, s, buffer)
	return s
}

func (h *hoarder) enlarge(t *testing.T, s network.Socket, buffer int64) {
	if buffer > 0 {
		must(t, s.SetOption(network.SendBuffer, buffer))
		must(t, s.SetOption(network.RecvBuffer, buffer))
	}
}

func (h *hoarder) listener(t *testing.T, buffer int64) network.Socket {
	l := h.open(t, buffer)
	must(t, l.Bind(netip.MustParseAddrPort("127.0.0.1:0")))
	must(t, l.Listen(1<<20))
	return l
}

// fill sends until every socket returns an error.
func (h *hoarder) fill(t *testing.T, sockets ...network.Socket) {
	b := [][]byte{make([]byte, 1<<16)}
	defer h.measure(t)
	for quiet := 0; quiet < 3; quiet++ {
		for _, s := range sockets {
			for {
				n, err := s.Send(b, netip.AddrPort{})
				if err != nil {
					break
				}
				if n > 0 {
					quiet = 0
				}
			}
		}
	}
}

func (h *hoarder) measure(t *testing.T) {
	h.most = max(h.most, queued(t))
}

// connect connects one more socket to the listener.
func (h *hoarder) connect(t *testing.T, l network.Socket, buffer int64) network.Socket {
	s := h.open(t, buffer)
	if s == nil {
		return nil
	}
	if err := s.Connect(local(t, l)); err != nil && err != syscall.EINPROGRESS {
		t.Fatal(err)
	}
	return s
}

// pairs makes 300 connections and fills them in both directions.
func (h *hoarder) pairs(t *testing.T, buffer int64, accept bool) {
	l := h.listener(t, buffer)
	var all []network.Socket
	for range 300 {
		s := h.connect(t, l, buffer)
		if s == nil {
			continue
		}
		all = append(all, s)
		if accept {
			if _, err := l.Wait(network.Readable, time.Now().Add(testTimeout)); err != nil {
				t.Fatal(err)
			}
			switch c, _, err := l.Accept(); err {
			case nil:
				h.held[c] = true
				h.enlarge(t, c, buffer)
				all = append(all, c)
			case syscall.ENOBUFS:
				h.refused++
			default:
				t.Fatal(err)
			}
		}
	}
	h.fill(t, all...)
}

// datagrams opens sockets that send to themselves.
func (h *hoarder) datagrams(t *testing.T) {
	var all []network.Socket
	for range 600 {
		s, err := h.network.Open(network.IPv4, network.Datagram)
		if err == syscall.ENOBUFS {
			h.refused++
			continue
		}
		must(t, err)
		h.held[s] = true
		must(t, s.Bind(netip.MustParseAddrPort("127.0.0.1:0")))
		h.enlarge(t, s, 1<<30)
		must(t, s.Connect(local(t, s)))
		all = append(all, s)
	}
	b := [][]byte{make([]byte, 1<<12)}
	for _, s := range all {
		for range 1000 { // no error tells that the queue is full
			s.Send(b, netip.AddrPort{})
		}
	}
	h.measure(t)
}

// closing closes full sockets and opens others. The host does not read from the connections that it
// has accepted.
func (h *hoarder) closing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	for range 200 {
		s, err := h.network.Open(network.IPv4, network.Stream)
		if err == syscall.ENOBUFS {
			h.refused++
			break
		}
		must(t, err)
		h.enlarge(t, s, 1<<30)
		if err := s.Connect(l.Addr().(*net.TCPAddr).AddrPort()); err != nil &&
			err != syscall.EINPROGRESS {
			t.Fatal(err)
		}
		c, err := l.Accept()
		must(t, err)
		defer c.Close()
		must(t, c.(*net.TCPConn).SetReadBuffer(1))
		h.fill(t, s)
		must(t, s.Close())
		h.measure(t)
	}
}

// shrinking sets small buffers once they are full.
func (h *hoarder) shrinking(t *testing.T) {
	l := h.listener(t, 0)
	for range 300 {
		s := h.connect(t, l, 1<<30)
		if s == nil {
			break
		}
		if _, err := l.Wait(network.Readable, time.Now().Add(testTimeout)); err != nil {
			t.Fatal(err)
		}
		c, _, err := l.Accept()
		if err == syscall.ENOBUFS {
			h.refused++
			break
		}
		must(t, err)
		h.held[c] = true
		h.fill(t, s, c)
		for _, s := range []network.Socket{s, c} {
			must(t, s.SetOption(network.SendBuffer, 1))
			must(t, s.SetOption(network.RecvBuffer, 1))
		}
	}
}

// unreadPeer returns a listener whose connections are never accepted, so that their windows close.
func unreadPeer(t *testing.T) net.Listener {
	t.Helper()
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		controlErr := c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4096)
		})
		return errors.Join(err, controlErr)
	}}
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// closeUnsent connects a socket, sends until the peer's window is closed and the queue is full,
// and closes it. It returns the number of bytes sent.
func closeUnsent(t *testing.T, n *guard.Network, peer net.Listener) (sent int) {
	t.Helper()
	s, err := n.Open(network.IPv4, network.Stream)
	must(t, err)
	must(t, s.SetOption(network.SendBuffer, 4096))
	err = s.Connect(peer.Addr().(*net.TCPAddr).AddrPort())
	if err == syscall.EINPROGRESS {
		if _, err = s.Wait(network.Writable, time.Now().Add(testTimeout)); err == nil {
			err = s.FinishConnect()
		}
	}
	must(t, err)
	b := [][]byte{make([]byte, 1<<14)}
	for {
		size, err := s.Send(b, netip.AddrPort{})
		if err == syscall.EAGAIN {
			break
		}
		must(t, err)
		sent += size
	}
	must(t, s.Close())
	return sent
}

func TestClosedSocketWithUnsentDataCounts(t *testing.T) {
	n, _ := limited(t, policy.Limits{Sockets: 1})
	defer n.Close()
	peer := unreadPeer(t)
	sent := closeUnsent(t, n, peer)
	if _, err := n.Open(network.IPv4, network.Stream); err != syscall.EMFILE {
		t.Fatalf("got %v while data are unsent, want EMFILE", err)
	}
	c, err := peer.Accept()
	must(t, err)
	defer c.Close()
	if got, err := io.Copy(io.Discard, c); int(got) != sent || err != nil {
		t.Errorf("got %d bytes and %v, want %d and no error", got, err, sent)
	}
	deadline := time.Now().Add(testTimeout)
	s, err := n.Open(network.IPv4, network.Stream)
	for err == syscall.EMFILE && time.Now().Before(deadline) { // until all is acknowledged
		s, err = n.Open(network.IPv4, network.Stream)
	}
	must(t, err)
	must(t, s.Close())
	if open := n.Counters().OpenSockets; open != 0 {
		t.Errorf("got %d open sockets, want 0", open)
	}
}

func TestDescriptorsOfClosedSocketsAreBounded(t *testing.T) {
	const maxUnsent, beyond = 1024, 16
	n, _ := limited(t, policy.Limits{})
	defer n.Close()
	peer := unreadPeer(t)
	before := descriptors(t)
	var sent int
	for range maxUnsent + beyond {
		sent = closeUnsent(t, n, peer)
	}
	if open := n.Counters().OpenSockets; open != maxUnsent {
		t.Errorf("got %d sockets, want %d", open, maxUnsent)
	}
	if got := descriptors(t) - before; got > maxUnsent+beyond/2 {
		t.Errorf("got %d more descriptors, want %d", got, maxUnsent)
	}
	for i := range maxUnsent + beyond {
		c, err := peer.Accept()
		must(t, err)
		var got int64
		if i < beyond || i == maxUnsent+beyond-1 {
			got, err = io.Copy(io.Discard, c)
		}
		c.Close()
		switch {
		case i < beyond && !errors.Is(err, syscall.ECONNRESET):
			t.Errorf("connection %d: got %v, want ECONNRESET", i, err)
		case i == maxUnsent+beyond-1 && (int(got) != sent || err != nil):
			t.Errorf("last connection: got %d bytes and %v, want %d", got, err, sent)
		}
	}
}

// descriptors returns the number of descriptors of this process.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(list)
}

// queued returns the number of bytes in the queues of all sockets in this namespace. The memory in
// /proc/net/sockstat is that of all namespaces together (proc(5)).
func queued(t *testing.T) (sum int64) {
	t.Helper()
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp"} {
		text, err := os.ReadFile(name)
		must(t, err)
		for _, line := range strings.Split(string(text), "\n")[1:] {
			fields := strings.Fields(line)
			if len(fields) < 5 {
				continue
			}
			if fields[3] == "0A" { // the queue of a listener counts connections
				continue
			}
			out, in, _ := strings.Cut(fields[4], ":")
			for _, hex := range []string{out, in} {
				n, err := strconv.ParseInt(hex, 16, 64)
				must(t, err)
				sum += n
			}
		}
	}
	return sum
}
