package guard

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// privilegedHost is a host that lets nobody bind a port below 1024.
type privilegedHost struct{ network.Network }

type privilegedSocket struct{ network.Socket }

func (h privilegedHost) Open(family network.Family, typ network.Type) (network.Socket, error) {
	s, err := h.Network.Open(family, typ)
	return privilegedSocket{s}, err
}

func (s privilegedSocket) Bind(to netip.AddrPort) error {
	if p := to.Port(); p != 0 && p < 1024 {
		return syscall.EACCES
	}
	return s.Socket.Bind(to)
}

// TestRefusalOfSystemIsTold binds sockets that the policy, the system or neither refuses.
func TestRefusalOfSystemIsTold(t *testing.T) {
	for _, test := range []struct {
		rule, addr         string
		refused, forbidden bool
	}{
		{"allow listen tcp://127.0.0.1:81", "127.0.0.1:80", true, false},
		{"allow listen tcp://127.0.0.1:80", "127.0.0.1:80", true, true},
		{"allow listen tcp://127.0.0.1:0", "127.0.0.1:0", false, false},
	} {
		n := New(privilegedHost{kernel.New(kernel.Config{})}, testutil.Policy(t, test.rule),
			Options{})
		s, err := n.Open(network.IPv4, network.Stream)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		err = s.Bind(netip.MustParseAddrPort(test.addr))
		if errors.Is(err, syscall.EACCES) != test.refused || err != nil && !test.refused {
			t.Errorf("%s: got %v, want a refusal: %t", test.rule, err, test.refused)
		}
		if got := n.BindForbidden(); got != test.forbidden {
			t.Errorf("%s: got %t, want %t", test.rule, got, test.forbidden)
		}
	}
}
