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
)

func TestTCPServer(t *testing.T) {
	families(t, func(t *testing.T, ip, _ string) {
		g := start(t, "tcp_server", ip, "2")
		at := g.listening()
		for range 2 {
			c := dial(t, at)
			g.expect("accepted " + strings.Join(hostPort(c.LocalAddr()), " "))
			say(t, c, "first")
			hear(t, c, "first")
			say(t, c, "second")
			hear(t, c, "second")
			c.CloseWrite()
			if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
				t.Errorf("after the end: %q, %v", rest, err)
			}
			g.expect("closed 11 bytes")
		}
		g.ends(0)
	})
}

func hostPort(a net.Addr) []string {
	host, port, _ := net.SplitHostPort(a.String())
	return []string{host, port}
}

func TestTCPClient(t *testing.T) {
	families(t, func(t *testing.T, ip, _ string) {
		host, port := listen(t, ip, func(c net.Conn) { io.Copy(c, c) })
		g := start(t, "tcp_client", ip, port, "a line")
		g.expect("connected "+host+" "+port, "received a line")
		g.ends(0)
	})
}

func TestHalfClose(t *testing.T) {
	families(t, func(t *testing.T, ip, _ string) {
		g := start(t, "half_close", "server", ip)
		c := dial(t, g.listening())
		say(t, c, "question")
		c.CloseWrite()
		g.expect("received question")
		hear(t, c, "answer")
		g.ends(0)

		_, port := listen(t, ip, func(c net.Conn) {
			all, _ := io.ReadAll(c)
			fmt.Fprintf(c, "you sent %q", all)
		})
		g = start(t, "half_close", "client", ip, port)
		g.expect("send after SHUT_WR EPIPE", `received you sent "question"`, "recv after SHUT_RD 0",
			"shutdown 99 EINVAL")
		g.ends(0)
	})
}

func TestPeekAndWaitall(t *testing.T) {
	families(t, func(t *testing.T, ip, _ string) {
		g := start(t, "peek_waitall", ip)
		c := dial(t, g.listening())
		c.SetNoDelay(true)
		say(t, c, "abcd")
		g.expect("peek 4 abcd", "peek 2 ab", "recv 4 abcd", "dontwait EAGAIN", "waiting")
		for _, piece := range []string{"12", "3", "456"} {
			say(t, c, piece)
		}
		g.expect("waitall 6 123456")
		say(t, c, "wxyz")
		c.Close()
		g.expect("waitall 4 wxyz", "waitall 0 ")
		g.ends(0)
	})
}

func TestReset(t *testing.T) {
	families(t, func(t *testing.T, ip, _ string) {
		g := start(t, "reset", ip)
		c := dial(t, g.listening())
		hear(t, c, "ready\n")
		c.SetLinger(0)
		c.Close()
		g.expect("recv ECONNRESET", "send EPIPE", "write EPIPE", "recv OK")
		g.ends(0)
	})
}

func TestNonblockingConnect(t *testing.T) {
	families(t, func(t *testing.T, ip, _ string) {
		_, port := listen(t, ip, func(c net.Conn) { io.Copy(c, c) })
		g := start(t, "nonblock_connect", ip, port)
		g.expect("connect EINPROGRESS", "poll out", "SO_ERROR 0 OK", "getpeername OK",
			"connect again OK", "received hello")
		g.ends(0)

		l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
		if err != nil {
			t.Fatal(err)
		}
		port = hostPort(l.Addr())[1]
		l.Close()
		g = start(t, "nonblock_connect", ip, port)
		g.expect("connect EINPROGRESS")
		if line := g.line(); !strings.HasPrefix(line, "poll out") {
			t.Errorf("poll of a refused connection: %q", line)
		}
		g.expect("SO_ERROR 14 ECONNREFUSED", "getpeername ENOTCONN")
		g.ends(0)
	})
}

// TestPollEcho holds 500 connections in one guest, all at once.
func TestPollEcho(t *testing.T) {
	const count = 500
	families(t, func(t *testing.T, ip, _ string) {
		g := start(t, "poll_echo", ip, fmt.Sprint(count))
		at := g.listening()
		conns := make([]*net.TCPConn, count)
		for i := range conns {
			conns[i] = dial(t, at)
		}
		for line := ""; line != "connections 500"; {
			line = g.line()
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
						t.Errorf("%q came back as %q, %v", text, back, err)
					}
				}
				c.Close()
			})
		}
		wg.Wait()
		g.expect("peak 500")
		g.ends(0)
	})
}

// TestHandedListener gives the guest a listener as its first descriptor after the directories.
func TestHandedListener(t *testing.T) {
	families(t, func(t *testing.T, ip, _ string) {
		l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		for _, dirs := range [][]wasport.Dir{nil, {{Host: t.TempDir(), Guest: "/"}}} {
			g := startWith(t, context.Background(), wasport.Config{
				Policy:  onLoopback(t),
				Sockets: []syscall.Conn{l.(*net.TCPListener)},
				Dirs:    dirs,
			}, "listen_fd", fmt.Sprint(3+len(dirs)))
			if at := g.listening(); at.String() != l.Addr().String() {
				t.Errorf("the guest listens on %v, not %v", at, l.Addr())
			}
			c := dial(t, netip.MustParseAddrPort(l.Addr().String()))
			g.expect("accepted " + strings.Join(hostPort(c.LocalAddr()), " "))
			say(t, c, "hello")
			hear(t, c, "hello")
			g.ends(0)
		}
	})
}

func TestTimeouts(t *testing.T) {
	families(t, func(t *testing.T, ip, number string) {
		_, port := listenSilently(t, ip)
		for _, args := range [][]string{
			{"recv", number, "30500"}, {"accept", number, "30500"}, {"stream", ip, port, "30500"},
			{"send", ip, port, "30500"},
		} {
			t.Run(args[0], func(t *testing.T) {
				g := start(t, "timeouts", args...)
				if args[0] == "accept" {
					g.listening()
				}
				if g.expect("timeout 30500 us"); args[0] == "send" {
					g.timedOut("send")
				}
				for _, call := range map[string][]string{"recv": {"recv", "recvfrom", "read"},
					"accept": {"accept"}, "stream": {"recv", "recv"}}[args[0]] {
					g.timedOut(call)
				}
				g.ends(0)
			})
		}
	})
}

// listenSilently listens for connections on which it neither reads nor writes.
func listenSilently(t testing.TB, ip string) (host, port string) {
	t.Helper()
	over := make(chan struct{})
	host, port = listen(t, ip, func(net.Conn) { <-over })
	t.Cleanup(func() { close(over) })
	return host, port
}

// timedOut reads how a call ended whose time-out is 30.5 ms.
func (g *guest) timedOut(call string) {
	g.t.Helper()
	var errno, name string
	var elapsed int
	line := g.line()
	if _, err := fmt.Sscanf(line, call+" errno=%s %s elapsed_us=%d", &errno, &name,
		&elapsed); err != nil {
		g.t.Fatalf("the guest said %q", line)
	}
	if name != "EAGAIN" || elapsed < 30_000 || elapsed > 10_000_000 {
		g.t.Errorf("%s: %s after %d µs", call, name, elapsed)
	}
}
