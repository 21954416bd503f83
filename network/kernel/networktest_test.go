package kernel_test

import (
	"net/netip"
	"testing"

	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/network/networktest"
)

var suiteHosts = map[string][]netip.Addr{
	"suite.test": {netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")},
}

func TestNetwork(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	networktest.Test(t, kernel.New(kernel.Config{Hosts: suiteHosts}), networktest.Options{
		Lacks: lacks, System: needs.System(),
		Name: "Suite.test", NameAddrs: suiteHosts["suite.test"],
	})
}
