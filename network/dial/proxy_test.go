package dial_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/proxy"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network/dial"
)

// wantEcho sends a line over a connection, and half-closes it if it can.
func wantEcho(t *testing.T, c net.Conn) {
	t.Helper()
	defer c.Close()
	c.SetDeadline(time.Now().Add(testTimeout))
	io.WriteString(c, "hello")
	b := make([]byte, 5)
	if _, err := io.ReadFull(c, b); string(b) != "hello" || err != nil {
		t.Errorf("got %q, %v, want %q", b, err, "hello")
	}
	if c, ok := c.(interface{ CloseWrite() error }); ok {
		if err := c.CloseWrite(); err != nil {
			t.Error(err)
		}
		if n, err := c.(net.Conn).Read(b); n != 0 || err != io.EOF {
			t.Errorf("got %d bytes, %v, want the end", n, err)
		}
	}
}

// testTimeout bounds every wait for something that must happen.
const testTimeout = 10 * time.Second

// serveOnce serves one connection as a proxy.
func serveOnce(t *testing.T, serve func(c net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		serve(c)
	}()
	return l.Addr().String()
}

// answer serves one connection by one answer for each message of the client.
func answer(t *testing.T, answers ...string) (addr string) {
	return serveOnce(t, func(c net.Conn) {
		b := make([]byte, 1024)
		for _, a := range answers {
			if _, err := c.Read(b); err != nil {
				return
			}
			io.WriteString(c, a)
		}
		io.Copy(io.Discard, c)
	})
}

func TestSOCKS(t *testing.T) {
	echo := testutil.StartEcho(t)
	_, port, _ := net.SplitHostPort(echo)
	p := testutil.NewSOCKS(t, map[string]string{"echo.test": "127.0.0.1"})
	own, err := dial.Proxy("socks5://"+p.Addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	other, err := proxy.SOCKS5("tcp", p.Addr, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]dial.DialFunc{"own": own,
		"golang.org/x/net/proxy": other.(proxy.ContextDialer).DialContext} {
		t.Run(name, func(t *testing.T) {
			before := len(p.Targets())
			for _, target := range []string{echo, "echo.test:" + port} {
				c, err := f(t.Context(), "tcp", target)
				if err != nil {
					t.Fatal(err)
				}
				wantEcho(t, c)
			}
			if got := p.Targets()[before:]; len(got) != 2 || got[1] != "echo.test:"+port {
				t.Errorf("got targets %q, want the name as the second", got)
			}
		})
	}
	_, err = own(t.Context(), "tcp", "none.test:80")
	want := "proxy " + p.Addr + ": none.test:80: it cannot reach the host"
	if err == nil || err.Error() != want || !errors.Is(err, syscall.EHOSTUNREACH) {
		t.Errorf("a name that it does not know: got %v, want %s", err, want)
	}
}

func TestHTTPConnect(t *testing.T) {
	echo := testutil.StartEcho(t)
	for name, early := range map[string]string{"": "", "bytes with the answer": "hi, "} {
		t.Run(name, func(t *testing.T) {
			var got *http.Request
			addr := serveOnce(t, func(c net.Conn) {
				b := bufio.NewReader(c)
				var err error
				if got, err = http.ReadRequest(b); err != nil {
					return
				}
				io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
				io.WriteString(c, "HTTP/1.1 200 OK\r\nX: y\r\n\r\n"+early)
				io.Copy(c, b)
			})
			f, err := dial.Proxy("http://us%40er:pa:ss@"+addr, nil)
			if err != nil {
				t.Fatal(err)
			}
			c, err := f(t.Context(), "tcp", echo)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(c, "hello")
			c.(interface{ CloseWrite() error }).CloseWrite()
			if text, err := io.ReadAll(c); string(text) != early+"hello" || err != nil {
				t.Errorf("got %q, %v, want %q", text, err, early+"hello")
			}
			c.Close()
			if got.Method != "CONNECT" || got.Host != echo || got.RequestURI != echo ||
				got.Header.Get("Proxy-Authorization") != "Basic dXNAZXI6cGE6c3M=" {
				t.Errorf("got the request %+v, want one for %s with credentials", got, echo)
			}
		})
	}
}

// TestAnswersOfProxies has proxies refuse, and answer what they must not.
func TestAnswersOfProxies(t *testing.T) {
	const ok = "\x05\x00"
	reply := func(code string) string { return "\x05" + code + "\x00\x01\x00\x00\x00\x00\x00\x00" }
	for name, c := range map[string]struct {
		url     string // ADDR is replaced
		answers []string
		problem string
		errno   syscall.Errno
	}{
		"refused": {"socks5://ADDR", []string{ok, reply("\x05")},
			"a.test:80: the connection was refused", syscall.ECONNREFUSED},
		"not allowed": {"socks5://ADDR", []string{ok, reply("\x02")},
			"a.test:80: its rules do not allow this", syscall.EACCES},
		"other code": {"socks5://ADDR", []string{ok, reply("\x63")},
			"a.test:80: it failed with code 99", syscall.EHOSTUNREACH},
		"credentials wanted": {"socks5://ADDR", []string{"\x05\xff"},
			"it asks for a user and a password", syscall.EACCES},
		"credentials not wanted": {"socks5://u:p@ADDR", []string{"\x05\xff"},
			"it accepts no user and password", syscall.EACCES},
		"credentials wrong": {"socks5://u:p@ADDR", []string{"\x05\x02", "\x01\x01"},
			"it refuses the user or the password", syscall.EACCES},
		"a method that was not offered": {"socks5://ADDR", []string{"\x05\x02"},
			"its answer is not one of SOCKS5", syscall.EHOSTUNREACH},
		"HTTP instead": {"socks5://ADDR", []string{"HTTP/1.1 400 Bad Request\r\n\r\n"},
			"its answer is not one of SOCKS5", syscall.EHOSTUNREACH},
		"version 4": {"socks5://ADDR", []string{ok, "\x04\x00\x00\x01\x00\x00\x00\x00\x00\x00"},
			"its answer is not one of SOCKS5", syscall.EHOSTUNREACH},
		"a kind of address that is none": {"socks5://ADDR",
			[]string{ok, "\x05\x00\x00\x02\x00\x00\x00\x00\x00\x00"},
			"its answer is not one of SOCKS5", syscall.EHOSTUNREACH},
		"HTTP: refused": {"http://ADDR", []string{"HTTP/1.1 403 \x1b[2Jgo away\r\n\r\n"},
			"a.test:80: it answers with status 403", syscall.EACCES},
		"HTTP: bad gateway": {"http://ADDR", []string{"HTTP/1.0 502 x\r\n\r\n"},
			"a.test:80: it answers with status 502", syscall.ECONNREFUSED},
		"HTTP: too late": {"http://ADDR", []string{"HTTP/1.1 504 x\r\n\r\n"},
			"a.test:80: it answers with status 504", syscall.ETIMEDOUT},
		"HTTP: redirected": {"http://ADDR",
			[]string{"HTTP/1.1 302 x\r\nLocation: http://x\r\n\r\n"},
			"a.test:80: it answers with status 302", syscall.EHOSTUNREACH},
		"HTTP: credentials wanted": {"http://ADDR", []string{"HTTP/1.1 407 x\r\n\r\n"},
			"it asks for a user and a password", syscall.EACCES},
		"HTTP: credentials wrong": {"http://u:p@ADDR", []string{"HTTP/1.1 407 x\r\n\r\n"},
			"it refuses the user or the password", syscall.EACCES},
		"HTTP: SOCKS instead": {"http://ADDR", []string{"\x05\x00\r\n\r\n"},
			"its answer is not one of HTTP", syscall.EHOSTUNREACH},
		"HTTP: a head without end": {"http://ADDR",
			[]string{"HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 20_000)},
			"its answer is not one of HTTP", syscall.EHOSTUNREACH},
		"HTTP: a line without end": {"http://ADDR", []string{strings.Repeat("x", 100_000)},
			"its answer is not one of HTTP", syscall.EHOSTUNREACH},
		"HTTP: preliminary answers without end": {"http://ADDR",
			[]string{strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 5000)},
			"its answer is not one of HTTP", syscall.EHOSTUNREACH},
	} {
		t.Run(name, func(t *testing.T) {
			testutil.NoGoroutineLeak(t)
			addr := answer(t, c.answers...)
			f, err := dial.Proxy(strings.Replace(c.url, "ADDR", addr, 1), nil)
			if err != nil {
				t.Fatal(err)
			}
			conn, err := f(t.Context(), "tcp", "a.test:80")
			want := "proxy " + addr + ": " + c.problem
			var failure *dial.ProxyError
			if conn != nil || !errors.As(err, &failure) || err.Error() != want ||
				!errors.Is(err, c.errno) {
				t.Errorf("got %v, want %s with %v", err, want, c.errno)
			}
		})
	}
}

// TestProxyThatEnds ends the connection, or does not answer, at each step.
func TestProxyThatEnds(t *testing.T) {
	for _, url := range []string{"socks5://u:p@", "http://"} {
		for n, answers := range [][]string{{}, {"\x05\x02"}, {"\x05\x02", "\x01\x00"},
			{"\x05\x02", "\x01\x00", "\x05\x00\x00\x03\xff"}} {
			if n > 0 && url == "http://" {
				continue
			}
			t.Run(url, func(t *testing.T) {
				testutil.NoGoroutineLeak(t)
				ends := serveOnce(t, func(c net.Conn) {
					for _, a := range answers {
						c.Read(make([]byte, 1024))
						io.WriteString(c, a)
					}
					if len(answers) < 3 { // the third one is cut off
						c.Read(make([]byte, 1024))
					}
				})
				f, _ := dial.Proxy(url+ends, nil)
				if _, err := f(t.Context(), "tcp", "a.test:80"); !errors.Is(err,
					syscall.ECONNRESET) {
					t.Errorf("ends after %d answers: got %v, want %v", n, err, syscall.ECONNRESET)
				}
				silent := answer(t, answers...)
				f, _ = dial.Proxy(url+silent, nil)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
				defer cancel()
				if _, err := f(ctx, "tcp", "a.test:80"); err != context.DeadlineExceeded {
					t.Errorf("silent after %d answers: got %v, want the context's error", n, err)
				}
			})
		}
	}
}

func TestUnreachableProxy(t *testing.T) {
	closed := testutil.ClosedPort(t, "127.0.0.1").String()
	f, err := dial.Proxy("socks5://"+closed, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f(t.Context(), "tcp", "a.test:80")
	want := "proxy " + closed + ": it cannot be reached: connection refused"
	if err == nil || err.Error() != want || !errors.Is(err, syscall.EHOSTUNREACH) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestProxyTargets passes addresses that a proxy could read otherwise than they are judged.
func TestProxyTargets(t *testing.T) {
	f, err := dial.Proxy("http://127.0.0.1:1", func(context.Context, string, string) (net.Conn,
		error) {
		t.Error("got a connection to the proxy, want none")
		return nil, syscall.ECONNREFUSED
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"", "a.test", "a.test:", "a.test:0", "a.test:65536", ":80",
		"a.test:x", "a test:80", "a.test\r\nX: y:80", "A.test:80", "a.test/:80", "u@a.test:80",
		"[fe80::1%eth0]:80", strings.Repeat("a.", 127) + "test:80"} {
		if _, err := f(t.Context(), "tcp", target); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%q: got %v, want %v", target, err, syscall.EINVAL)
		}
	}
	if _, err := f(t.Context(), "udp", "a.test:80"); !errors.Is(err, syscall.EPROTONOSUPPORT) {
		t.Errorf("udp: got %v, want %v", err, syscall.EPROTONOSUPPORT)
	}
}

func TestURLsOfProxies(t *testing.T) {
	for _, url := range []string{"socks5://127.0.0.1:1080", "socks5h://proxy.test:1080",
		"socks5://u@[::1]:1080", "http://u:p@127.0.0.1:8080/", "http://a%2Fb:p%40@p.test:1"} {
		if _, err := dial.Proxy(url, nil); err != nil {
			t.Errorf("%s: got %v, want it accepted", url, err)
		}
	}
	for _, url := range []string{"", "127.0.0.1:1080", "socks5:127.0.0.1:1080", "socks5://",
		"socks5://127.0.0.1", "socks5://:1080", "socks5://127.0.0.1:0", "socks5://127.0.0.1:x",
		"socks4://127.0.0.1:1", "https://127.0.0.1:1", "http://127.0.0.1:1/path",
		"http://127.0.0.1:1?q", "http://secret:secret@127.0.0.1:1#x", "http://a%3Ab:secret@p:1",
		"socks5://" + strings.Repeat("u", 256) + ":secret@p:1", "socks5://:secret@p:1",
		"socks5://u:" + strings.Repeat("secret", 50) + "@p:1", "http://secret:%zz@p:1"} {
		_, err := dial.Proxy(url, nil)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want an error without the password", url, err)
		}
	}
}
