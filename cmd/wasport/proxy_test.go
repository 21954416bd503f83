package main

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/testutil"
)

// TestRunThroughProxy has a guest look a name up that only the proxy knows, and connect by number.
func TestRunThroughProxy(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	socks := testutil.NewSOCKS(t, map[string]string{"echo.test": "127.0.0.1"})
	_, port, _ := net.SplitHostPort(l.Addr().String())
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
	if want := []string{fmt.Sprint("127.0.0.1:", port)}; !slices.Equal(socks.Targets(), want) {
		t.Errorf("got the targets %q, want %q", socks.Targets(), want)
	}
}
