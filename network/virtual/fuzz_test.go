package virtual

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/network"
)

// FuzzCalls makes the calls of a program of bytes on sockets of two hosts: an operation, a socket
// and an argument each. Every error must be one that a guest can be given, streams must keep their
// order, and nothing may be left in the world when all sockets are closed.
func FuzzCalls(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x00\x01\x02\x00\x04\x04\x01\x01\x03\x00\x00\x06\x01\x20"))
	f.Add([]byte("\x00\x03\x01\x00\x02\x01\x04\x02\x01\x0b\x03\x01\x07\x03\x01\x06\x02\x40"))
	f.Fuzz(func(t *testing.T, program []byte) {
		m := newMachine(t)
		for len(program) >= 3 {
			m.step(program[0], program[1], program[2])
			program = program[3:]
		}
		m.close()
	})
}

// machine runs a program of FuzzCalls.
type machine struct {
	*testing.T
	world   *World
	hosts   [2]*Host
	sockets []network.Socket
	buf     [300]byte
}

func newMachine(t *testing.T) *machine {
	w, err := Config{MTU: minMTU}.New()
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{T: t, world: w}
	for i, name := range []string{"a", "b"} {
		if m.hosts[i], err = w.Host(name); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// addr is one of the addresses that matter, with one of a few ports.
func (m *machine) addr(n byte) netip.AddrPort {
	addrs := []string{"127.0.0.1", "::1", "0.0.0.0", "::", "10.0.0.1", "fd00::1", "10.0.0.2",
		"fd00::2", "224.0.0.9", "ff02::9", "255.255.255.255", "127.255.255.255", "192.0.2.1",
		"::ffff:127.0.0.1", "::ffff:0.0.0.0", "fe80::1%lo"}
	return netip.AddrPortFrom(netip.MustParseAddr(addrs[n%16]), []uint16{0, 7, 8, 32768}[n/16%4])
}

func (m *machine) open(host, kind byte) {
	family, typ := network.IPv4, network.Stream
	if kind&1 != 0 {
		family = network.IPv6
	}
	if kind&2 != 0 {
		typ = network.Datagram
	}
	s, err := m.hosts[host%2].Open(family, typ)
	if err != nil {
		m.Fatal(err)
	}
	m.sockets = append(m.sockets, s)
}

func (m *machine) step(op, which, arg byte) {
	const most = 16
	if len(m.sockets) == 0 || op%20 == 0 {
		if len(m.sockets) < most {
			m.open(which, arg)
		}
		return
	}
	s := m.sockets[int(which)%len(m.sockets)]
	m.checkError(op, m.call(s, op%20, arg))
	got, err := s.Poll(network.Readable | network.Writable)
	m.checkError(op, err)
	if got&^(network.Readable|network.Writable|always) != 0 {
		m.Fatalf("got events %b, want those that exist", got)
	}
}

func (m *machine) call(s network.Socket, op, arg byte) (err error) {
	bufs := [][]byte{m.buf[:arg/2], nil, m.buf[arg/2 : arg]}
	on := network.Interface{Index: uint32(arg % 4), Addr: m.addr(arg).Addr()}
	switch op {
	case 1:
		return s.Bind(m.addr(arg))
	case 2:
		return s.Listen(int(arg%3) - 1)
	case 3:
		c, from, err := s.Accept()
		if err == nil {
			if !from.IsValid() {
				m.Fatal("got no peer of a connection, want one")
			}
			m.sockets = append(m.sockets, c)
		}
		return err
	case 4:
		return s.Connect(m.addr(arg))
	case 5:
		return s.FinishConnect()
	case 6:
		_, err = s.Send(bufs, netip.AddrPort{})
	case 7:
		_, err = s.Send(bufs, m.addr(arg))
	case 8, 9:
		r, err := s.Recv(bufs, network.RecvFlags(op-8))
		if r.N > int(arg) {
			m.Fatalf("got %d bytes, want at most %d", r.N, arg)
		}
		return err
	case 10:
		return s.Shutdown(network.How(arg % 5))
	case 11:
		return s.SetOption(network.Option(arg%40), int64(arg)-1)
	case 12:
		_, err = s.Option(network.Option(arg % 40))
	case 13:
		return s.Join(m.addr(arg).Addr(), on)
	case 14:
		return s.Leave(m.addr(arg).Addr(), on)
	case 15:
		_, err = s.Wait(network.Events(arg%4), time.Unix(1, 0))
	case 16:
		return s.(network.Disconnecter).Disconnect()
	case 17:
		if sharer, ok := s.(network.Sharer); ok {
			return sharer.BindShared(m.addr(arg))
		}
	case 18:
		_, err = s.RemoteAddr()
	case 19:
		return s.Close()
	}
	return err
}

func (m *machine) checkError(op byte, err error) {
	m.Helper()
	var errno syscall.Errno
	if err != nil && err != net.ErrClosed && err != os.ErrDeadlineExceeded &&
		!errors.As(err, &errno) {
		m.Fatalf("operation %d: got %v, want an errno", op%20, err)
	}
}

// close closes all sockets, and looks for remains.
func (m *machine) close() {
	for _, s := range m.sockets {
		s.Close()
	}
	for _, h := range m.hosts {
		if len(h.tcp)+len(h.udp) != 0 {
			m.Errorf("got ports %v and %v of closed sockets, want none", h.tcp, h.udp)
		}
	}
	if len(m.world.members) != 0 {
		m.Errorf("got members %v, want none", m.world.members)
	}
	for _, s := range m.sockets {
		if tcp, ok := s.(*tcpSocket); ok {
			if c := tcp.conn.Load(); c != nil && c.in.Memory()+c.in.Len() != 0 {
				m.Errorf("got %d bytes in the queue of a closed socket, want none", c.in.Len())
			}
		} else if s.(*udpSocket).queue.Memory() != 0 {
			m.Error("got datagrams in the queue of a closed socket, want none")
		}
	}
}
