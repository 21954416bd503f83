//go:build !portable

package kernel_test

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

func TestOpenRefused(t *testing.T) {
	k := kernel.New(kernel.Config{})
	_, err := k.Open(network.AnyFamily, network.Stream)
	wantErr(t, "open no family", err, syscall.EAFNOSUPPORT)
	_, err = k.Open(network.IPv4, network.AnyType)
	wantErr(t, "open no type", err, syscall.EINVAL)

	var limit syscall.Rlimit
	check(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	check(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 3, Max: limit.Max}))
	_, err = k.Open(network.IPv4, network.Stream)
	check(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	wantErr(t, "open too many", err, syscall.EMFILE)
}

// An IPv6 socket that is not only for IPv6 sends to IPv4 addresses in either form.
func TestDatagramToIPv4(t *testing.T) {
	to, addr := bound(t, network.IPv4, netip.MustParseAddrPort("127.0.0.1:0"))
	s := open(t, network.IPv6, network.Datagram)
	for _, a := range []netip.Addr{addr.Addr(), netip.AddrFrom16(addr.Addr().As16())} {
		if n, err := s.Send(one([]byte("x")), netip.AddrPortFrom(a, addr.Port())); n != 1 ||
			err != nil {
			t.Errorf("send to %v: got %d, %v; want 1", a, n, err)
			continue
		}
		recv(t, to, make([]byte, 1))
	}
	_, err := open(t, network.IPv4, network.Datagram).Send(one(nil),
		netip.MustParseAddrPort("[::1]:9"))
	wantErr(t, "send to IPv6 from IPv4", err, syscall.EAFNOSUPPORT)
}

// A zone names an interface by number as well as by name.
func TestBindToZone(t *testing.T) {
	s := open(t, network.IPv6, network.Datagram)
	wantErr(t, "bind to a zone by number",
		s.Bind(netip.MustParseAddrPort(fmt.Sprintf("[fe80::77%%%d]:0",
			loopback(t)))), syscall.EADDRNOTAVAIL)
	wantErr(t, "bind to a zone by name", s.Bind(netip.MustParseAddrPort("[fe80::77%lo]:0")),
		syscall.EADDRNOTAVAIL)
}

// loopback is the index of the interface that the tests stay on.
func loopback(t *testing.T) uint32 {
	t.Helper()
	list, err := net.Interfaces()
	check(t, err)
	for _, i := range list {
		if i.Flags&net.FlagLoopback != 0 && i.Flags&net.FlagUp != 0 {
			return uint32(i.Index)
		}
	}
	t.Fatal("got no loopback interface, want one that is up")
	return 0
}
