package integration_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// runEdge calls a function of the guest in WasmEdge's dialect, and returns its result.
func runEdge(t *testing.T, function string, argument uint64, c wasport.Config) uint64 {
	t.Helper()
	c.Function, c.Params = function, []uint64{argument}
	status, err := compileTestdata(t, "edge").Run(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return status.Results[0]
}

// TestWasmEdgeGuestIsTracedLearntAndAudited runs a client that the policy allows, refuses, and
// learns.
func TestWasmEdgeGuestIsTracedLearntAndAudited(t *testing.T) {
	server := testutil.StartServer(t, func(c net.Conn) { io.Copy(c, c) })
	rule := "connect tcp://" + server.String()
	port := uint64(server.Port())

	t.Run("allowed", func(t *testing.T) {
		var trace, audit bytes.Buffer
		got := runEdge(t, "dial", port, wasport.Config{
			Policy: testutil.Policy(t, "allow "+rule), Trace: &trace,
			Audit: slog.New(slog.NewTextHandler(&audit, nil)),
		})
		if got != 0 {
			t.Errorf("got errno %d, want 0", got)
		}
		for _, want := range []string{
			"sock_connect(3, " + server.String() + ") = 0",
			`sock_recv_from(3, ["ping"], 1, 127.0.0.1, 0x0, ` + server.String()[10:] +
				`, 4, 0) = 0`,
		} {
			if !strings.Contains(trace.String(), want) {
				t.Errorf("got the trace\n%s\nwant in it %s", trace.String(), want)
			}
		}
		if want := "decision=allowed"; !strings.Contains(audit.String(), want) {
			t.Errorf("got the audit record %s, want in it %s", audit.String(), want)
		}
	})
	t.Run("refused", func(t *testing.T) {
		var refusals []string
		got := runEdge(t, "dial", port, wasport.Config{
			OnRefusal: func(r *policy.Refusal) { refusals = append(refusals, r.Hint()) },
		})
		const eacces = 2
		if got != eacces {
			t.Errorf("got errno %d, want %d", got, eacces)
		}
		if want := "--allow-" + rule; len(refusals) != 1 ||
			refusals[0] != want {
			t.Errorf("got the hints %q, want %q", refusals, want)
		}
	})
	t.Run("learnt", func(t *testing.T) {
		var learner policy.Learner
		if got := runEdge(t, "dial", port, wasport.Config{
			Policy: testutil.Policy(t, "allow connect any"), Learner: &learner,
		}); got != 0 {
			t.Errorf("got errno %d, want 0", got)
		}
		learnt := policy.New(learner.Rules(), policy.Limits{})
		if got := runEdge(t, "dial", port, wasport.Config{Policy: learnt}); got != 0 {
			t.Errorf("got errno %d with the rules %v, want 0", got, learner.Rules())
		}
	})
}

func TestWasmEdgeLookupIsJudged(t *testing.T) {
	network := kernel.New(kernel.Config{Hosts: map[string][]netip.Addr{
		"allowed.test": {netip.MustParseAddr("192.0.2.7")},
	}})
	for _, row := range []struct {
		name, rule string
		want       uint64
	}{{"allowed", "allow resolve allowed.test", 0}, {"refused", "allow resolve other.test", 2}} {
		t.Run(row.name, func(t *testing.T) {
			p := testutil.Policy(t, row.rule, "allow connect 192.0.2.0/24")
			got := runEdge(t, "lookup", 0, wasport.Config{Policy: p, Network: network})
			if got != row.want {
				t.Errorf("got errno %d, want %d", got, row.want)
			}
		})
	}
}

func TestWasmEdgeSocketsAreLimited(t *testing.T) {
	p := policy.New(nil, policy.Limits{Sockets: 3})
	const emfile = 33
	for _, row := range []struct{ sockets, want uint64 }{{3, 0}, {4, emfile}} {
		if got := runEdge(t, "open", row.sockets, wasport.Config{Policy: p}); got != row.want {
			t.Errorf("%d sockets: got errno %d, want %d", row.sockets, got, row.want)
		}
	}
}

// TestWasmEdgeCallEndsWithContext ends a guest that waits in sock_recv_from.
func TestWasmEdgeCallEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	server := testutil.StartServer(t, func(c net.Conn) {
		io.ReadFull(c, make([]byte, 4))
		cancel() // the guest waits for an answer, or is about to
	})
	_, err := compileTestdata(t, "edge").Run(ctx, wasport.Config{
		Policy: testutil.Policy(t, "allow connect loopback"), Function: "dial",
		Params: []uint64{uint64(server.Port())},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// TestWasmEdgeThreadConnectsWhereItWasJudged connects in a thread while another changes the
// address. Each attempt is judged by one address, and goes there or is refused.
func TestWasmEdgeThreadConnectsWhereItWasJudged(t *testing.T) {
	accepted := make(chan struct{}, 1)
	server := testutil.StartServer(t, func(c net.Conn) {
		io.ReadFull(c, make([]byte, 4))
		accepted <- struct{}{}
	})
	status, err := compileTestdata(t, "edge_thread").Run(context.Background(), wasport.Config{
		Policy: testutil.Policy(t, "allow connect tcp://"+server.String()), Function: "dial",
		Params: []uint64{uint64(server.Port())},
		OnRefusal: func(r *policy.Refusal) {
			if got := r.Request.Remote.Addr(); got != netip.MustParseAddr("192.0.2.1") {
				t.Errorf("got a refusal of %v, want those of 192.0.2.1 alone", got)
			}
		},
	})
	if err != nil || status.Results[0] != 0 {
		t.Fatalf("got %v, %v, want errno 0", status.Results, err)
	}
	<-accepted
}
