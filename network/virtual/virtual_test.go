package virtual_test

import (
	"testing"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network/networktest"
	"github.com/wasport/wasport/network/virtual"
)

func TestNetwork(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	h, err := virtual.New().Host("Suite.test")
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]networktest.Options{
		"loopback": {Name: "Suite.test", NameAddrs: h.Addrs()},
		"link":     {Name: "Suite.test", NameAddrs: h.Addrs(), Addrs: h.Addrs()},
	} {
		t.Run(name, func(t *testing.T) { networktest.Test(t, h, o) })
	}
}
