package abi_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/abi"
	"github.com/wasport/wasport/internal/sendbehind"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/network"
)

// holdingNetwork has sockets that hold every send after the first ones, and count them.
type holdingNetwork struct {
	network.Network
	held int
}

func (n *holdingNetwork) Open(network.Family, network.Type) (network.Socket, error) {
	return &holdingSocket{on: n}, nil
}

type holdingSocket struct {
	network.Socket
	on *holdingNetwork
}

func (*holdingSocket) Type() network.Type { return network.Stream }
func (*holdingSocket) Close() error       { return nil }
func (*holdingSocket) Send(bufs [][]byte, _ netip.AddrPort) (n int, err error) {
	for _, b := range bufs {
		n += len(b)
	}
	return n, nil
}

func (s *holdingSocket) Hold([][]byte, netip.AddrPort) sendbehind.Result {
	s.on.held++
	return sendbehind.First
}

func (s *holdingSocket) Flush() error {
	s.on.held = 0
	return nil
}

func (*holdingSocket) HeldSince() (time.Duration, bool) { return 0, false }

// TestEveryOtherCallFlushes has sends held, and calls each import with bad arguments. Only those
// that send may leave them held.
func TestEveryOtherCallFlushes(t *testing.T) {
	n := &holdingNetwork{}
	c := newCaller(t, system.Config{Network: n, Without: []string{}})
	fd := c.open(0, stream)
	hold := func() {
		c.put("8 bytes.") // another call may have overwritten them
		for range 100 {
			if c.send(fd); n.held > 1 { // with one alone, it takes more the next time
				return
			}
		}
		t.Fatal("got nothing held after a run of sends, want some")
	}
	for module, functions := range abi.Functions() {
		for _, f := range functions {
			if module == "wasi_unstable" || strings.HasPrefix(f.Name, "proc_") {
				continue // the same functions, and those that end the guest
			}
			hold()
			name := exportName(module, f)
			c.call(name, slices.Repeat([]uint64{minusOne}, len(f.Params))...)
			sends := slices.Contains([]string{"fd_write", "sock_send", "sock_send_v2",
				"sock_send_to", "sock_send_to_v2", "sock_send_msg", "sock_send_control"}, f.Name)
			if n.held != 0 && !sends {
				t.Errorf("%s: got %d sends held after the call, want none", name, n.held)
			}
		}
	}
	hold()
	c.mod.ExportedFunction("proc_exit").Call(c.ctx, 0)
	if n.held != 0 {
		t.Errorf("proc_exit: got %d sends held, want none", n.held)
	}
}
