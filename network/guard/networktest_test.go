package guard_test

import (
	"testing"

	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/network/networktest"
	"github.com/wasport/wasport/policy"
)

// TestNetwork runs the suite through a guard that allows everything, behind which a guest must see
// no other network. The guard answers no question about own addresses: it asks that question.
func TestNetwork(t *testing.T) {
	p := policy.New(policy.AllowNet(policy.Origin{Source: "test"}), policy.Limits{})
	n := guard.New(kernel.New(kernel.Config{}), p, guard.Options{})
	defer n.Close()
	networktest.Test(t, n, networktest.Options{Lacks: lacks, System: needs.System()})
}
