// Package dnstest is a small DNS server (RFC 1035) on a loopback address, for tests and
// demonstrations that must not depend on another server.
//
// It answers queries over UDP and TCP from a table that may change while it runs. It can answer
// with each failure of a server. Recursion does not belong here.
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

// Answer is the answer for a name. The zero value says that the name exists and has no records.
type Answer struct {
	Addrs []netip.Addr
	// Records are those of other types.
	Records map[dnsmessage.Type][]dnsmessage.ResourceBody
	// CNAME is another name. Its answer is appended.
	CNAME string
	// TTL is in seconds.
	TTL uint32

	// Code is the response code, such as RCodeServerFailure.
	Code dnsmessage.RCode
	// Silent sends no answer.
	Silent bool
	// Delay is the time before the answer.
	Delay time.Duration
	// Truncate sets TC over UDP and leaves out the records, so that the client asks over TCP.
	Truncate bool
}

// Server is a DNS server. Its methods may be called from several goroutines.
type Server struct {
	udp  net.PacketConn
	tcp  net.Listener
	wg   sync.WaitGroup
	done chan struct{}

	// mu protects the fields below, and the records in names.
	mu     sync.Mutex
	names  map[string]*record
	conns  map[net.Conn]bool
	closed bool
}

// record holds the answers of one name.
type record struct {
	// answers are given one after the other, for each type of query; the last one is repeated.
	answers   []Answer
	answered  map[dnsmessage.Type]int
	questions map[string]int
}

// Start runs a server on a free port of a loopback address.
func Start(on netip.Addr) (*Server, error) {
	return StartAt(netip.AddrPortFrom(on, 0))
}

// StartAt runs a server on a port of a loopback address; 0 is a free port.
func StartAt(on netip.AddrPort) (*Server, error) {
	if !on.Addr().IsLoopback() {
		return nil, fmt.Errorf("%v is not a loopback address", on)
	}
	var failed error
	// Another program may have the TCP port with the number of a free UDP port.
	for range 20 {
		udp, err := net.ListenPacket("udp", on.String())
		if err != nil {
			return nil, err
		}
		tcp, err := net.Listen("tcp", udp.LocalAddr().String())
		if err != nil {
			udp.Close()
			failed = err
			continue
		}
		s := &Server{udp: udp, tcp: tcp, done: make(chan struct{}),
			names: make(map[string]*record), conns: make(map[net.Conn]bool)}
		s.wg.Go(s.serveUDP)
		s.wg.Go(s.serveTCP)
		return s, nil
	}
	return nil, failed
}

// Addr returns the address of the server as "HOST:PORT".
func (s *Server) Addr() string {
	return s.udp.LocalAddr().String()
}

// Set sets the answers for a name. For each type of record, the server gives them one after the
// other and then repeats the last one. Without answers the name does not exist, as before the first
// Set.
func (s *Server) Set(name string, answers ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(answers) == 0 {
		delete(s.names, canonical(name))
		return
	}
	s.names[canonical(name)] = &record{answers: answers, answered: make(map[dnsmessage.Type]int),
		questions: make(map[string]int)}
}

// Addrs returns an answer with addresses.
func Addrs(addrs ...string) Answer {
	var a Answer
	for _, text := range addrs {
		a.Addrs = append(a.Addrs, netip.MustParseAddr(text))
	}
	return a
}

// Asked returns the number of queries for a name that is set, over the transport "udp" or "tcp".
func (s *Server) Asked(name, transport string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.names[canonical(name)]; r != nil {
		return r.questions[transport]
	}
	return 0
}

// Close ends the server and waits until its goroutines have ended. It returns net.ErrClosed if it
// was called before.
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
	err := errors.Join(s.udp.Close(), s.tcp.Close())
	s.wg.Wait()
	return err
}

func canonical(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, ".")) + "."
}

func (s *Server) serveUDP() {
	for {
		b := make([]byte, 1500)
		n, from, err := s.udp.ReadFrom(b)
		if err != nil {
			return
		}
		s.wg.Go(func() {
			if reply := s.reply(b[:n], "udp"); reply != nil {
				s.udp.WriteTo(reply, from)
			}
		})
	}
}

func (s *Server) serveTCP() {
	for {
		c, err := s.tcp.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			c.Close()
		}
		s.conns[c] = true
		s.mu.Unlock()
		s.wg.Go(func() {
			s.serveConn(c)
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
			c.Close()
		})
	}
}

// serveConn answers the queries of one connection. Each has its length in front (RFC 1035, section
// 4.2.2).
func (s *Server) serveConn(c net.Conn) {
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
