package networktest

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"github.com/wasport/wasport/network"
)

func testLookup(t *testing.T, n network.Network, o Options) {
	if o.Name == "" {
		t.Skip("Options.Name is empty")
	}
	for family, is := range map[network.Family]func(netip.Addr) bool{
		network.AnyFamily: netip.Addr.IsValid,
		network.IPv4:      netip.Addr.Is4,
		network.IPv6:      netip.Addr.Is6,
	} {
		want := slices.DeleteFunc(slices.Clone(o.NameAddrs),
			func(a netip.Addr) bool { return !is(a) })
		// A final dot and the case do not matter (RFC 4343).
		for _, name := range []string{o.Name, o.Name + "."} {
			got, err := n.LookupAddrs(t.Context(), family, name)
			if failure := (*network.LookupError)(nil); len(want) == 0 {
				if !errors.As(err, &failure) || failure.Failure != network.NoSuchHost {
					t.Errorf("%v of %s: got %v, %v; want no such host", family, name, got, err)
				}
				continue
			}
			slices.SortFunc(got, netip.Addr.Compare)
			slices.SortFunc(want, netip.Addr.Compare)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%v of %s: got %v, %v; want %v", family, name, got, err, want)
			}
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	// A name of the network's own may be found without waiting for anything.
	if got, err := n.LookupAddrs(ended, network.AnyFamily, o.Name); err != nil && len(got) > 0 {
		t.Errorf("a lookup that was cancelled: got %v and %v, want one of them", got, err)
	}
	for _, row := range []struct {
		typ     network.Type
		service string
		want    uint16
	}{
		{network.Stream, "http", 80}, {network.AnyType, "https", 443},
		{network.Datagram, "ntp", 123},
	} {
		got, err := n.LookupPort(t.Context(), row.typ, row.service)
		var errno syscall.Errno
		if got != row.want && !errors.As(err, &errno) {
			t.Errorf("port of %s: got %d, %v; want %d, or an error that a guest can be given",
				row.service, got, err, row.want)
		}
	}
}

func testInterfaces(t *testing.T, n network.Network, o Options) {
	if slices.Contains(o.Lacks, Interfaces) {
		t.Skipf("the network lacks %s", Interfaces)
	}
	lister, ok := n.(network.Lister)
	if !ok {
		t.Fatal("got a network without HostAddrs, want a Lister")
	}
	list, err := lister.HostAddrs()
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[netip.Addr]bool)
	for i, a := range list {
		if a.Name == "" || a.Index == 0 || !a.Prefix.IsValid() || a.Prefix.Addr().Zone() != "" ||
			a.Flags&network.InterfaceUp == 0 {
			t.Errorf("got %+v, want a name, an index, an address without a zone, and up", a)
		}
		if i > 0 && a.Index < list[i-1].Index {
			t.Errorf("got index %d after %d, want them in order", a.Index, list[i-1].Index)
		}
		listed[a.Prefix.Addr()] = true
	}
	for _, a := range o.Addrs {
		if !listed[a] {
			t.Errorf("got %v, want %v among them", list, a)
		}
	}
}

func testOwnAddresses(t *testing.T, n network.Network, o Options) {
	if slices.Contains(o.Lacks, OwnAddresses) {
		t.Skipf("the network lacks %s", OwnAddresses)
	}
	owner, ok := n.(network.Owner)
	if !ok {
		t.Fatal("got a network without Owns, want an Owner")
	}
	for _, a := range o.Addrs {
		if !owner.Owns(a) || !owner.Owns(netip.AddrFrom16(a.As16())) {
			t.Errorf("got %v as foreign, want it owned in either form", a)
		}
	}
	for _, text := range []string{"198.51.100.1", "2001:db8::1"} {
		if owner.Owns(netip.MustParseAddr(text)) {
			t.Errorf("got %v as owned, want it foreign", text)
		}
	}
}
