//go:build unix

package guard_test

import (
	"bytes"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// TestAdoptedUnixListener accepts under policies that would refuse any address: no rule is about a
// Unix-domain socket.
func TestAdoptedUnixListener(t *testing.T) {
	for name, p := range map[string]*policy.Policy{
		"no policy": nil,
		"deny":      testutil.Policy(t, "deny listen any", "deny connect any"),
		"ceiling":   policy.All(nil, testutil.Policy(t)),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s")
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
			must(t, err)
			defer l.Close()
			var log bytes.Buffer
			n := guard.New(kernel.New(kernel.Config{}), p, guard.Options{
				Audit: slog.New(slog.NewTextHandler(&log, nil)), Learner: new(policy.Learner),
				OnRefusal: func(r *policy.Refusal) { t.Log(r) }})
			base, err := kernel.Adopt(l)
			must(t, err)
			s := n.Adopt(base)
			defer s.Close()

			wantErr(t, "bind", s.Bind(here), syscall.EINVAL)
			wantErr(t, "listen again", s.Listen(5), nil)
			wantErr(t, "connect", s.Connect(here), syscall.EISCONN)
			wantErr(t, "shutdown", s.Shutdown(network.ShutBoth), syscall.EACCES)
			wantErr(t, "set an option", s.SetOption(network.RecvBuffer, 1<<16), syscall.EACCES)

			c, err := net.Dial("unix", path)
			must(t, err)
			defer c.Close()
			got := accept(t, s, time.Now().Add(testTimeout))
			if got == nil {
				t.Fatal("got no connection, want one")
			}
			defer got.Close()
			send(t, got, "hello", nobody)
			b := make([]byte, 5)
			if _, err := c.Read(b); string(b) != "hello" || err != nil {
				t.Errorf("got %q, %v, want %q", b, err, "hello")
			}
			wantErr(t, "connect again", got.Connect(here), syscall.EISCONN)
			wantErr(t, "listen on a connection", got.Listen(1), syscall.EINVAL)
			wantErr(t, "half-close", got.Shutdown(network.ShutWrite), nil)
			if want := "action=accept protocol=unix decision=allowed\n"; !strings.HasSuffix(
				log.String(), want) {
				t.Errorf("got the records %s, want %s at the end", log.String(), want)
			}
			if c := n.Counters(); c.Allowed[policy.OpAccept] != 1 || c.OpenSockets != 2 {
				t.Errorf("got %+v, want one accept and two sockets", c)
			}
		})
	}
}
