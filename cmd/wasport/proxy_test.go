package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/testutil"
)

// TestRunThroughProxy has a guest look a name up that only the proxy knows, and connect by number.
func TestRunThroughProxy(t *testing.T) {
	_, port, _ := net.SplitHostPort(testutil.StartEcho(t))
	socks := testutil.NewSOCKS(t, map[string]string{"echo.test": "127.0.0.1"})
	proxy := "--proxy=socks5://" + socks.Addr
	client := root + "/internal/guests/tcp_client.wasm"
	lookup := root + "/internal/guests/lookup.wasm"
	for _, c := range []struct {
		name   string
		args   []string
		status int
		stdout string
		stderr string
	}{
		{"by number", []string{"--allow-connect=tcp://127.0.0.1:" + port, client, "127.0.0.1", port,
			"hello"}, 0, "hello", ""},
		{"a name", []string{"--allow-connect=echo.test", lookup, "echo.test", port, "4", "tcp"}, 0,
			"240.0.0.1 " + port + " stream\n", ""},
		{"the address that stands for no name", []string{"--allow-connect=*", client, "240.0.0.1",
			port, "hello"}, 1, "EACCES", "denied connect tcp 240.0.0.1:"},
		{"datagrams", []string{"--allow-connect=any", root + "/internal/guests/udp_client.wasm",
			"127.0.0.1", port, "hello"}, 1, "FAIL socket", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := startWasport(t, append([]string{"run", proxy}, c.args...)...)
			out, _ := io.ReadAll(p.out)
			status, stderr := p.wait()
			if status != c.status || !strings.Contains(string(out), c.stdout) ||
				!strings.Contains(stderr, c.stderr) {
				t.Errorf("got status %d, %q and %q, want %d, %q and %q", status, out, stderr,
					c.status, c.stdout, c.stderr)
			}
		})
	}
	t.Run("a program that connects by name", func(t *testing.T) {
		needs.Compiler(t)
		wasm := filepath.Join(t.TempDir(), "client.wasm")
		cc := startWasport(t, "cc", root+"/examples/hello/client.c", "-o", wasm)
		if status, stderr := cc.wait(); status != 0 {
			t.Fatal(stderr)
		}
		greeter, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer greeter.Close()
		go func() {
			c, err := greeter.Accept()
			if err == nil {
				io.WriteString(c, "hello by name\n")
				c.Close()
			}
		}()
		_, at, _ := net.SplitHostPort(greeter.Addr().String())
		p := startWasport(t, "run", proxy, "--allow-connect=echo.test:"+at, wasm, "echo.test", at)
		out, _ := io.ReadAll(p.out)
		if status, stderr := p.wait(); status != 0 || string(out) != "hello by name\n" {
			t.Errorf("got status %d, %q and %q, want the greeting", status, out, stderr)
		}
		targets := socks.Targets()
		if got, want := targets[len(targets)-1], "echo.test:"+at; got != want {
			t.Errorf("got the target %s, want %s", got, want)
		}
	})
	if want := []string{fmt.Sprint("127.0.0.1:", port)}; !slices.Equal(socks.Targets()[:1], want) {
		t.Errorf("got the targets %q, want %q first", socks.Targets(), want)
	}
}

// TestRunThroughHTTPProxy has a guest connect by CONNECT (RFC 9110, section 9.3.6).
func TestRunThroughHTTPProxy(t *testing.T) {
	_, port, _ := net.SplitHostPort(testutil.StartEcho(t))
	targets := make(chan string, 2)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		targets <- r.Method + " " + r.Host
		there, err := net.Dial("tcp", r.Host)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		here, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
		go io.Copy(there, here)
		io.Copy(here, there)
		here.Close()
	}))
	p := startWasport(t, "run", "--proxy="+proxy.URL, "--allow-connect=tcp://127.0.0.1:"+port,
		root+"/internal/guests/tcp_client.wasm", "127.0.0.1", port, "hello")
	out, _ := io.ReadAll(p.out)
	if status, stderr := p.wait(); status != 0 || !strings.Contains(string(out), "hello") {
		t.Errorf("got status %d, %q and %q, want 0 and \"hello\"", status, out, stderr)
	}
	proxy.Close()
	close(targets)
	if got, want := <-targets, "CONNECT 127.0.0.1:"+port; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
