package integration_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/testutil"
)

func TestTCPServerEchoesUntilEOF(t *testing.T) {
	forEachFamily(t, func(t *testing.T, ip, _ string) {
		g := startGuest(t, "tcp_server", ip, "2")
		at := g.readListenAddr()
		for range 2 {
			c := dialGuest(t, at)
			g.expectLines("accepted " + strings.Join(splitAddr(c.LocalAddr()), " "))
			writeText(t, c, "first")
			expectText(t, c, "first")
			writeText(t, c, "second")
			expectText(t, c, "second")
			c.CloseWrite()
			if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
				t.Errorf("after the end: got %q, %v, want nothing", rest, err)
			}
			g.expectLines("closed 11 bytes")
		}
		g.waitExit(0)
	})
}

// TestEndedGuestTakesNoConnection stops guests that wait for a connection, and connects then.
func TestEndedGuestTakesNoConnection(t *testing.T) {
	for _, name := range []string{"tcp_server", "poll_echo"} {
		t.Run(name, func(t *testing.T) {
			g := startGuest(t, name, "127.0.0.1", "1")
			at := g.readListenAddr()
			g.handle.Stop(nil)
			g.handle.Wait()
			if c, err := net.Dial("tcp", at.String()); err == nil {
				c.Close()
				t.Error("got a connection, want none")
			}
		})
	}
}

func splitAddr(a net.Addr) []string {
	host, port, _ := net.SplitHostPort(a.String())
	return []string{host, port}
}

func TestTCPClientReceivesEcho(t *testing.T) {
	forEachFamily(t, func(t *testing.T, ip, _ string) {
		host, port := serveTCP(t, ip, func(c net.Conn) { io.Copy(c, c) })
		g := startGuest(t, "tcp_client", ip, port, "a line")
		g.expectLines("connected "+host+" "+port, "received a line")
		g.waitExit(0)
	})
}

func TestShutdownOfOneDirection(t *testing.T) {
	forEachFamily(t, func(t *testing.T, ip, _ string) {
		g := startGuest(t, "half_close", "server", ip)
		c := dialGuest(t, g.readListenAddr())
		writeText(t, c, "question")
		c.CloseWrite()
		g.expectLines("received question")
		expectText(t, c, "answer")
		g.waitExit(0)

		_, port := serveTCP(t, ip, func(c net.Conn) {
			all, _ := io.ReadAll(c)
			fmt.Fprintf(c, "you sent %q", all)
		})
		g = startGuest(t, "half_close", "client", ip, port)
		g.expectLines("send after SHUT_WR EPIPE", `received you sent "question"`,
			"recv after SHUT_RD 0", "shutdown 99 EINVAL")
		g.waitExit(0)
	})
}

func TestRecvWithPeekAndWaitall(t *testing.T) {
	forEachFamily(t, func(t *testing.T, ip, _ string) {
		g := startGuest(t, "peek_waitall", ip)
		c := dialGuest(t, g.readListenAddr())
		c.SetNoDelay(true)
		writeText(t, c, "abcd")
		g.expectLines("peek 4 abcd", "peek 2 ab", "recv 4 abcd", "dontwait EAGAIN", "waiting")
		for _, piece := range []string{"12", "3", "456"} {
			writeText(t, c, piece)
		}
		g.expectLines("waitall 6 123456")
		writeText(t, c, "wxyz")
		c.Close()
		g.expectLines("waitall 4 wxyz", "waitall 0 ")
		g.waitExit(0)
	})
}

func TestCallsAfterConnectionReset(t *testing.T) {
	needs.NotWine(t)
	forEachFamily(t, func(t *testing.T, ip, _ string) {
		g := startGuest(t, "reset", ip)
		c := dialGuest(t, g.readListenAddr())
		expectText(t, c, "ready\n")
		c.SetLinger(0)
		c.Close()
		g.expectLines("recv ECONNRESET", "send EPIPE", "write EPIPE", "recv OK")
		g.waitExit(0)
	})
}

func TestNonblockingConnect(t *testing.T) {
	forEachFamily(t, func(t *testing.T, ip, _ string) {
		_, port := serveTCP(t, ip, func(c net.Conn) { io.Copy(c, c) })
		g := startGuest(t, "nonblock_connect", ip, port)
		g.expectLines("connect EINPROGRESS", "poll out", "SO_ERROR 0 OK", "getpeername OK",
			"connect again OK", "received hello")
		g.waitExit(0)

		port = portText(testutil.ClosedPort(t, ip))
		g = startGuest(t, "nonblock_connect", ip, port)
		g.expectLines("connect EINPROGRESS")
		if line := g.readLine(); !strings.HasPrefix(line, "poll out") {
			t.Errorf(`got %q for a refused connection, want "poll out"`, line)
		}
		g.expectLines("SO_ERROR 14 ECONNREFUSED", "getpeername ENOTCONN")
		g.waitExit(0)
	})
}

// TestPollOf500Connections holds 500 connections in one guest, all at once.
func TestPollOf500Connections(t *testing.T) {
	const count = 500
	forEachFamily(t, func(t *testing.T, ip, _ string) {
		g := startGuest(t, "poll_echo", ip, fmt.Sprint(count))
		at := g.readListenAddr()
		conns := make([]*net.TCPConn, count)
		for i := range conns {
			conns[i] = dialGuest(t, at)
		}
		for line := ""; line != "connections 500"; {
			line = g.readLine()
		}
		var wg sync.WaitGroup
		for i, c := range conns {
			wg.Go(func() {
				for round := range 3 {
					text := fmt.Sprintf("connection %d round %d", i, round)
					if _, err := io.WriteString(c, text); err != nil {
						t.Error(err)
					}
					back := make([]byte, len(text))
					if _, err := io.ReadFull(c, back); err != nil || string(back) != text {
						t.Errorf("got %q, %v, want %q", back, err, text)
					}
				}
				c.Close()
			})
		}
		wg.Wait()
		g.expectLines("peak 500")
		g.waitExit(0)
	})
}

// TestAcceptOnAdoptedListener gives the guest a listener as its first descriptor after the
// directories.
func TestAcceptOnAdoptedListener(t *testing.T) {
	forEachFamily(t, func(t *testing.T, ip, _ string) {
		l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		for _, dirs := range [][]wasport.Dir{nil, {{Host: t.TempDir(), Guest: "/"}}} {
			t.Run(fmt.Sprintf("%d directories", len(dirs)), func(t *testing.T) {
				g := startGuestWith(t, context.Background(), wasport.Config{
					Policy:  loopbackPolicy(t),
					Sockets: []syscall.Conn{l.(*net.TCPListener)},
					Dirs:    dirs,
				}, "listen_fd", fmt.Sprint(3+len(dirs)))
				if at := g.readListenAddr(); at.String() != l.Addr().String() {
					t.Errorf("got a listener on %v, want %v", at, l.Addr())
				}
				c := dialGuest(t, netip.MustParseAddrPort(l.Addr().String()))
				g.expectLines("accepted " + strings.Join(splitAddr(c.LocalAddr()), " "))
				writeText(t, c, "hello")
				expectText(t, c, "hello")
				g.waitExit(0)
			})
		}
	})
}

func TestSocketTimeoutsExpire(t *testing.T) {
	forEachFamily(t, func(t *testing.T, ip, number string) {
		_, port := serveSilently(t, ip)
		for _, args := range [][]string{
			{"recv", number, "30500"}, {"accept", number, "30500"}, {"stream", ip, port, "30500"},
			{"send", ip, port, "30500"},
		} {
			t.Run(args[0], func(t *testing.T) {
				g := startGuest(t, "timeouts", args...)
				if args[0] == "accept" {
					g.readListenAddr()
				}
				if g.expectLines("timeout 30500 us"); args[0] == "send" {
					g.expectTimedOut("send")
				}
				for _, call := range map[string][]string{"recv": {"recv", "recvfrom", "read"},
					"accept": {"accept"}, "stream": {"recv", "recv"}}[args[0]] {
					g.expectTimedOut(call)
				}
				g.waitExit(0)
			})
		}
	})
}

// serveSilently accepts connections and neither reads nor writes on them.
func serveSilently(t testing.TB, ip string) (host, port string) {
	t.Helper()
	over := make(chan struct{})
	host, port = serveTCP(t, ip, func(net.Conn) { <-over })
	t.Cleanup(func() { close(over) })
	return host, port
}

// expectTimedOut reads the line of a call on a socket with a time-out of 30.5 ms.
func (g *guest) expectTimedOut(call string) {
	g.t.Helper()
	var errno, name string
	var elapsed int
	line := g.readLine()
	if _, err := fmt.Sscanf(line, call+" errno=%s %s elapsed_us=%d", &errno, &name,
		&elapsed); err != nil {
		g.t.Fatalf("got %q, want the end of %s", line, call)
	}
	if name != "EAGAIN" || elapsed < 30_000 || elapsed > 10_000_000 {
		g.t.Errorf("%s: got %s after %d µs, want EAGAIN after 30 ms", call, name, elapsed)
	}
}
