package testutil

import (
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
)

// SOCKS is a SOCKS5 proxy on loopback (RFC 1928), without credentials. It resolves names by a table
// and connects to every target.
type SOCKS struct {
	// Addr is its address, HOST:PORT.
	Addr string

	listener net.Listener
	names    map[string]string

	mu      sync.Mutex
	targets []string
}

// NewSOCKS starts a proxy, which the end of the test closes.
func NewSOCKS(t testing.TB, names map[string]string) *SOCKS {
	t.Helper()
	s, err := StartSOCKS(names)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// StartSOCKS starts a proxy. names has the IP address of each name that it resolves.
func StartSOCKS(names map[string]string) (*SOCKS, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &SOCKS{Addr: l.Addr().String(), listener: l, names: names}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(c)
		}
	}()
	return s, nil
}

// Close closes the proxy. Connections through it go on.
func (s *SOCKS) Close() error { return s.listener.Close() }

// Targets returns the addresses that were asked for, HOST:PORT, in order.
func (s *SOCKS) Targets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.targets...)
}

// serve serves one client. A mistake of the client ends its connection.
func (s *SOCKS) serve(c net.Conn) {
	defer c.Close()
	var b [262]byte
	if _, err := io.ReadFull(c, b[:2]); err != nil {
		return
	}
	if _, err := io.ReadFull(c, b[:b[1]]); err != nil {
		return
	}
	c.Write([]byte{5, 0})
	if _, err := io.ReadFull(c, b[:5]); err != nil {
		return
	}
	length := map[byte]int{1: 4, 3: int(b[4]) + 1, 4: 16}[b[3]]
	if _, err := io.ReadFull(c, b[5:4+length+2]); err != nil {
		return
	}
	host := net.IP(b[4 : 4+length]).String()
	reach := host
	if b[3] == 3 {
		host = string(b[5 : 4+length])
		reach = s.names[host]
	}
	port := strconv.Itoa(int(b[4+length])<<8 | int(b[4+length+1]))
	s.mu.Lock()
	s.targets = append(s.targets, net.JoinHostPort(host, port))
	s.mu.Unlock()
	if reach == "" {
		c.Write([]byte{5, 4, 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	to, err := net.Dial("tcp", net.JoinHostPort(reach, port))
	if err != nil {
		c.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	defer to.Close()
	c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	var both sync.WaitGroup
	for _, way := range [][2]*net.TCPConn{{c.(*net.TCPConn), to.(*net.TCPConn)},
		{to.(*net.TCPConn), c.(*net.TCPConn)}} {
		both.Go(func() {
			io.Copy(way[0], way[1])
			way[0].CloseWrite()
		})
	}
	both.Wait()
}
