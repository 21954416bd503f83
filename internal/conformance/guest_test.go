package conformance

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// programTimeout bounds the run of a program, which takes less than a second, or some seconds under
// qemu-user.
const programTimeout = 20 * time.Second

func newRuntime(t *testing.T) *wasport.Runtime {
	t.Helper()
	rt, err := wasport.NewRuntime(t.Context(), wasport.RuntimeConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rt.Close(context.Background()) })
	return rt
}

// compileGuest compiles a program, for all of its runs in a test.
func compileGuest(t *testing.T, rt *wasport.Runtime, wasm []byte) *wasport.Module {
	t.Helper()
	mod, err := rt.Compile(t.Context(), wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mod.Close(context.Background()) })
	return mod
}

// runGuest runs a program. A nil network is that of the machine.
func runGuest(t *testing.T, mod *wasport.Module, n network.Network,
	args []string) (out, errs string, status wasport.Status, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), programTimeout,
		errors.New("it took too long"))
	defer cancel()
	var dirs []wasport.Dir // without any, the first socket is 3, as natively
	if args[0] == "library" || args[0] == "seekdir" || args[0] == "unix" {
		dirs = []wasport.Dir{{Host: t.TempDir(), Guest: "/tmp"}}
	}
	from := policy.Origin{Source: "test"}
	rules := append(policy.AllowNet(from), policy.AllowUnix(from)...)
	var stdout, stderr bytes.Buffer
	status, err = mod.Run(ctx, wasport.Config{
		Args: args, Stdout: &stdout, Stderr: &stderr,
		Dirs: dirs, Network: n,
		Policy: policy.New(rules, policy.Limits{}),
	})
	return stdout.String(), stderr.String(), status, err
}

// peers open sockets of the servers, as package net does.
type peers struct {
	listen       func(network, address string) (net.Listener, error)
	listenPacket func(network, address string) (net.PacketConn, error)
}

var machine = peers{net.Listen, net.ListenPacket}

// startEchoServers starts servers on an address that send back all that they get, and returns their
// ports and a port that refuses.
func startEchoServers(t *testing.T, on peers, host string) []string {
	listenAddr := net.JoinHostPort(host, "0")
	streams, err := on.listen("tcp", listenAddr)
	if err != nil {
		return nil
	}
	t.Cleanup(func() { streams.Close() })
	go func() {
		for {
			c, err := streams.Accept()
			if err != nil {
				return
			}
			go echoConn(c)
		}
	}()

	packets, err := on.listenPacket("udp", listenAddr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { packets.Close() })
	go func() {
		b := make([]byte, 65536)
		for {
			n, from, err := packets.ReadFrom(b)
			if err != nil {
				return
			}
			packets.WriteTo(b[:n], from)
		}
	}()
	_, tcp, _ := net.SplitHostPort(streams.Addr().String())
	_, udp, _ := net.SplitHostPort(packets.LocalAddr().String())
	return []string{tcp, udp, strconv.Itoa(refusedPort(t, on, host))}
}

// echoConn sends everything back, and ends when the peer has.
func echoConn(c net.Conn) {
	defer c.Close()
	b := make([]byte, 4096)
	for {
		n, err := c.Read(b)
		if _, failed := c.Write(b[:n]); err != nil || failed != nil {
			return
		}
	}
}

// refusedPort returns a port that refuses, for streams as well as for datagrams.
func refusedPort(t *testing.T, on peers, host string) int {
	for range 20 {
		l, err := on.listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		p, err := on.listenPacket("udp", l.Addr().String())
		l.Close()
		if err == nil {
			p.Close()
			return port
		}
	}
	t.Fatal("got no free port, want one")
	return 0
}
