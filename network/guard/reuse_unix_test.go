//go:build unix

package guard_test

import (
	"net/netip"
	"syscall"
	"testing"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// TestReuseAddrTakesDatagramsToGroups binds sockets of which at least one receives from a group,
// where the system can share a port for groups alone. Windows cannot.
func TestReuseAddrTakesDatagramsToGroups(t *testing.T) {
	host := kernel.New(kernel.Config{})
	allowed := []string{"allow listen any", "allow join any", "allow connect any"}
	testReuse(t, []reuseCase{
		{"one group", guarded(t, allowed...), guarded(t, allowed...), "239.1.2.3:0", "", nil},
		{"one group, of another program", host, guarded(t, allowed...), "239.1.2.3:0", "", nil},
		{"a group, then every address", guarded(t, allowed...), guarded(t, allowed...),
			"239.1.2.3:0", "0.0.0.0", nil},
		{"every address, then a group", guarded(t, allowed...), guarded(t, allowed...), "0.0.0.0:0",
			"239.1.2.3", nil},
		{"a group, then another", guarded(t, allowed...), guarded(t, allowed...), "239.1.2.3:0",
			"239.1.2.4", nil},
	})
}

// TestReuseAddrAfterFailedBind makes a bind fail that could have shared its port, and then tries
// one that must not.
func TestReuseAddrAfterFailedBind(t *testing.T) {
	host := kernel.New(kernel.Config{})
	group := unusedAddr(t, at("239.1.2.3:0"))
	must(t, open(t, host, network.IPv4, network.Datagram).Bind(group)) // alone
	single := open(t, host, network.IPv4, network.Datagram)
	must(t, single.SetOption(network.ReuseAddr, 1))
	must(t, single.Bind(here))
	n := guarded(t, "allow listen any", "allow join any")
	s := open(t, n, network.IPv4, network.Datagram)
	must(t, s.SetOption(network.ReuseAddr, 1))
	wantErr(t, "bind to the group", s.Bind(group), syscall.EADDRINUSE)
	wantErr(t, "bind to the address", s.Bind(local(t, single)), syscall.EADDRINUSE)
	must(t, s.Bind(here))
}

// TestReuseAddrSharesGroups receives from one group on one port with two guests. The second gets no
// datagram to the host's own address.
func TestReuseAddrSharesGroups(t *testing.T) {
	text := []string{"allow listen any", "allow join any", "allow connect any"}
	group := netip.MustParseAddr("239.1.2.3")
	on := network.Interface{Addr: netip.MustParseAddr("127.0.0.1")}
	port := uint16(0) // of the first's
	var guests [3]network.Socket
	for i := range guests {
		s := open(t, guarded(t, text...), network.IPv4, network.Datagram)
		must(t, s.SetOption(network.ReuseAddr, 1))
		if err := s.Bind(netip.AddrPortFrom(netip.IPv4Unspecified(), port)); err != nil {
			other := open(t, kernel.New(kernel.Config{}), network.IPv4, network.Datagram)
			if _, shares := other.(network.Sharer); !shares {
				t.Skip("this system does not share addresses for groups alone")
			}
			t.Fatal(err)
		}
		must(t, s.Join(group, on))
		guests[i], port = s, local(t, s).Port()
	}
	out := open(t, guarded(t, text...), network.IPv4, network.Datagram)
	must(t, out.SetOption(network.MulticastInterface4, 0x7f000001))
	send(t, out, "to all", netip.AddrPortFrom(group, port))
	for i, s := range guests {
		if text, _ := receive(t, s); text != "to all" {
			t.Errorf("guest %d: got %q, want the datagram to the group", i, text)
		}
	}
	for range 32 { // from as many ports, by which the kernel would deal them out
		to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)
		send(t, sender(t, "127.0.0.1"), "to one", to)
		if text, _ := receive(t, guests[0]); text != "to one" {
			t.Errorf("the first: got %q, want its datagram", text)
		}
	}
	for _, s := range guests[1:] {
		_, err := s.Recv([][]byte{make([]byte, 64)}, 0)
		wantErr(t, "receive what is sent to one", err, syscall.EAGAIN)
	}
}
