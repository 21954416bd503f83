// Package dnstest is a small DNS server on a loopback address, for tests and demonstrations that
// must not depend on anyone else's.
//
// It answers questions for addresses, by UDP and TCP, from a table that may change while it runs.
// It knows how servers fail, not how they recurse.
package dnstest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Answer is what the server says of a name. The zero value says that the name exists and has no
// addresses.
type Answer struct {
	Addrs []netip.Addr
	CNAME string // another name, whose answer is given along
	TTL   uint32 // seconds

	Code     dnsmessage.RCode // such as RCodeServerFailure
	Silent   bool             // say nothing
	Delay    time.Duration    // wait before answering
	Truncate bool             // over UDP, say no more than that TCP has the rest
}

// Server is a DNS server. Its methods may be called from several goroutines.
type Server struct {
	packets net.PacketConn
	streams net.Listener
	running sync.WaitGroup
	done    chan struct{}

	mu     sync.Mutex
	names  map[string]*record
	conns  map[net.Conn]bool
	closed bool
}

type record struct {
	answers   []Answer // the next for each address type; the last one stays
	asked     map[dnsmessage.Type]int
	transport map[string]int
}

// Start runs a server on a free port of a loopback address.
func Start(on netip.Addr) (*Server, error) {
	return StartAt(netip.AddrPortFrom(on, 0))
}

// StartAt runs a server on a port of a loopback address; 0 is a free one.
func StartAt(on netip.AddrPort) (*Server, error) {
	if !on.Addr().IsLoopback() {
		return nil, fmt.Errorf("%v is not a loopback address", on)
	}
	var failed error
	for range 20 { // the port may be taken by someone else's TCP
		packets, err := net.ListenPacket("udp", on.String())
		if err != nil {
			return nil, err
		}
		streams, err := net.Listen("tcp", packets.LocalAddr().String())
		if err != nil {
			packets.Close()
			failed = err
			continue
		}
		s := &Server{packets: packets, streams: streams, done: make(chan struct{}),
			names: make(map[string]*record), conns: make(map[net.Conn]bool)}
		s.running.Go(s.servePackets)
		s.running.Go(s.serveStreams)
		return s, nil
	}
	return nil, failed
}

// Addr is where the server is, as "HOST:PORT".
func (s *Server) Addr() string {
	return s.packets.LocalAddr().String()
}

// Set says what the server answers for a name: the answers one after the other, for questions of
// each type of address, and the last for ever. Without answers the name does not exist, as if it
// never had been set.
func (s *Server) Set(name string, answers ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(answers) == 0 {
		delete(s.names, canonical(name))
		return
	}
	s.names[canonical(name)] = &record{answers: answers, asked: make(map[dnsmessage.Type]int),
		transport: make(map[string]int)}
}

// Addrs is the answer that most names have.
func Addrs(addrs ...string) Answer {
	var a Answer
	for _, text := range addrs {
		a.Addrs = append(a.Addrs, netip.MustParseAddr(text))
	}
	return a
}

// Asked counts the questions for a name that is set, by the transport, "udp" or "tcp".
func (s *Server) Asked(name, transport string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.names[canonical(name)]; r != nil {
		return r.transport[transport]
	}
	return 0
}

// Close ends the server, and waits until nothing of it is left.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return net.ErrClosed
	}
	s.closed = true
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	close(s.done)
	err := errors.Join(s.packets.Close(), s.streams.Close())
	s.running.Wait()
	return err
}

func canonical(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, ".")) + "."
}

func (s *Server) servePackets() {
	for {
		b := make([]byte, 1500)
		n, from, err := s.packets.ReadFrom(b)
		if err != nil {
			return
		}
		s.running.Go(func() {
			if reply := s.reply(b[:n], "udp"); reply != nil {
				s.packets.WriteTo(reply, from)
			}
		})
	}
}

func (s *Server) serveStreams() {
	for {
		c, err := s.streams.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			c.Close()
		}
		s.conns[c] = true
		s.mu.Unlock()
		s.running.Go(func() {
			s.serveStream(c)
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
			c.Close()
		})
	}
}

// serveStream answers the questions of one connection, each after its length.
func (s *Server) serveStream(c net.Conn) {
	for {
		var length [2]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return
		}
		b := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(c, b); err != nil {
			return
		}
		reply := s.reply(b, "tcp")
		if reply == nil {
			continue
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))),
			reply...)); err != nil {
			return
		}
	}
}
