package guard_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// TestCheckTellsRefusalsBeforehand asks for sockets and lookups without making any. Each refusal is
// reported and counted once, in a dry run too, where a lookup is left to report its own.
func TestCheckTellsRefusalsBeforehand(t *testing.T) {
	tcp := func(n *guard.Network) error { return n.CheckOpen(network.Stream) }
	udp := func(n *guard.Network) error { return n.CheckOpen(network.Datagram) }
	lookup := func(n *guard.Network) error { return n.CheckLookup("name.test") }
	for _, test := range []struct {
		name, rule string
		check      func(*guard.Network) error
		want       error
		op         policy.Op
		dryRun     uint64 // refusals in a dry run
	}{
		{"tcp", "allow connect tcp://127.0.0.1:80", tcp, nil, 0, 0},
		{"tcp for udp", "allow connect udp://127.0.0.1:80", tcp, syscall.EACCES, policy.OpOpen, 1},
		{"udp", "allow listen udp://127.0.0.1:80", udp, nil, 0, 0},
		{"udp for tcp", "allow listen tcp://127.0.0.1:80", udp, syscall.EACCES, policy.OpOpen, 1},
		{"name", "allow resolve name.test", lookup, nil, 0, 0},
		{"no name", "allow resolve *", func(n *guard.Network) error {
			return n.CheckLookup("a b")
		}, syscall.EINVAL, policy.OpAlter, 0},
		{"other name", "allow resolve other.test", lookup, syscall.EACCES, policy.OpResolve, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, dryRun := range []bool{false, true} {
				rule, err := policy.ParseRule(test.rule, policy.Origin{})
				must(t, err)
				var reported uint64
				n := guard.New(kernel.New(kernel.Config{}),
					policy.New([]policy.Rule{rule}, policy.Limits{}), guard.Options{
						DryRun:    dryRun,
						OnRefusal: func(r *policy.Refusal) { reported++ },
					})
				want, refusals := test.want, uint64(0)
				if want == syscall.EACCES {
					refusals = 1
					if dryRun {
						want, refusals = nil, test.dryRun
					}
				}
				if err := test.check(n); !errors.Is(err, want) {
					t.Errorf("dry run %v: got %v, want %v", dryRun, err, want)
				}
				if got := n.Counters().Denied[test.op]; got != refusals || reported != refusals {
					t.Errorf("dry run %v: got %d refusals, %d reported, want %d", dryRun, got,
						reported, refusals)
				}
			}
		})
	}
}
