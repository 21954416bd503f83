package guard_test

import (
	"net/netip"
	"syscall"
	"testing"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// TestReuseAddrTakesNoDatagrams binds a second socket to the address of a first, both with
// SO_REUSEADDR. The first belongs to a guest or to another program.
func TestReuseAddrTakesNoDatagrams(t *testing.T) {
	host := kernel.New(kernel.Config{})
	allowed := []string{"allow listen any", "allow join any", "allow connect any"}
	alone := []string{"allow listen any"} // and no group may be joined
	testReuse(t, []reuseCase{
		{"one address", guarded(t, allowed...), guarded(t, allowed...), "127.0.0.1:0", "",
			syscall.EADDRINUSE},
		{"every address", guarded(t, alone...), guarded(t, alone...), "0.0.0.0:0", "",
			syscall.EADDRINUSE},
		{"every address, then one", guarded(t, allowed...), guarded(t, allowed...), "0.0.0.0:0",
			"127.0.0.1", syscall.EADDRINUSE},
		{"one address, then every", guarded(t, allowed...), guarded(t, allowed...), "127.0.0.1:0",
			"0.0.0.0", syscall.EADDRINUSE},
		{"another program's", host, guarded(t, allowed...), "127.0.0.1:0", "", syscall.EADDRINUSE},
		{"another program's, every address", host, guarded(t, allowed...), "0.0.0.0:0", "",
			syscall.EADDRINUSE},
		{"a guest's, by another program", guarded(t, allowed...), host, "127.0.0.1:0", "",
			syscall.EADDRINUSE},
	})
}

// reuseCase binds two datagram sockets with SO_REUSEADDR.
type reuseCase struct {
	name          string
	first, second network.Network
	at, then      string // "" is the first's address
	want          error
}

func testReuse(t *testing.T, cases []reuseCase) {
	t.Helper()
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			one := open(t, test.first, network.IPv4, network.Datagram)
			must(t, one.SetOption(network.ReuseAddr, 1))
			where := unusedAddr(t, at(test.at))
			must(t, one.Bind(where))
			two := open(t, test.second, network.IPv4, network.Datagram)
			must(t, two.SetOption(network.ReuseAddr, 1))
			if v, err := two.Option(network.ReuseAddr); v != 1 || err != nil {
				t.Errorf("got the value %d, %v, want the one that was set", v, err)
			}
			to := where
			if test.then != "" {
				to = netip.AddrPortFrom(netip.MustParseAddr(test.then), where.Port())
			}
			wantErr(t, "bind the second", two.Bind(to), test.want)
		})
	}
}

// unusedAddr returns an address with a port that no socket has.
func unusedAddr(t *testing.T, a netip.AddrPort) netip.AddrPort {
	t.Helper()
	s := open(t, kernel.New(kernel.Config{}), network.IPv4, network.Datagram)
	must(t, s.Bind(at("0.0.0.0:0")))
	port := local(t, s).Port()
	must(t, s.Close())
	return netip.AddrPortFrom(a.Addr(), port)
}
