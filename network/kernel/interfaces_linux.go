package kernel

import (
	"errors"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

// hostAddrsWithout lists the host's addresses that are known without the list that cannot be had,
// for the reason err: loopback, and the addresses by which the host's routes leave. It returns err
// if another reason than a lack of AF_NETLINK (netlink(7)) is behind it, as under Gramine.
func hostAddrsWithout(err error) ([]network.HostAddr, error) {
	if !errors.Is(err, syscall.EAFNOSUPPORT) {
		return nil, err
	}
	const loopback = network.InterfaceUp | network.InterfaceLoopback
	var list []network.HostAddr
	for _, p := range []string{"127.0.0.1/8", "::1/128"} {
		if prefix := netip.MustParsePrefix(p); ownsByBind(prefix.Addr()) {
			list = append(list, network.HostAddr{Name: "lo", Index: 1, Flags: loopback,
				Prefix: prefix})
		}
	}
	// The addresses are for documentation (RFC 5737, RFC 3849). Nothing is sent to them.
	for _, to := range []string{"192.0.2.1:9", "[2001:db8::1]:9"} {
		a, err := addressTowards(netip.MustParseAddrPort(to))
		if err == nil && !a.IsLoopback() && !a.IsUnspecified() {
			list = append(list, network.HostAddr{Name: "default", Index: 2,
				Flags: network.InterfaceUp, Prefix: netip.PrefixFrom(a, a.BitLen())})
		}
	}
	return list, nil
}

// addressTowards returns the address by which the host would send a datagram.
func addressTowards(to netip.AddrPort) (netip.Addr, error) {
	fd, err := sysSocket(familyOf(to.Addr()), network.Datagram)
	if err != nil {
		return netip.Addr{}, err
	}
	defer syscall.Close(fd)
	if err := sysConnect(fd, to); err != nil {
		return netip.Addr{}, err
	}
	local, err := sysGetsockname(fd)
	return local.Addr().WithZone(""), err
}

// ownsByBind reports whether an address is the host's: bind(2) fails with EADDRNOTAVAIL on any
// other address of one host (ip(7)).
func ownsByBind(a netip.Addr) bool {
	if a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return false
	}
	fd, err := sysSocket(familyOf(a), network.Stream)
	if err != nil {
		return false
	}
	defer syscall.Close(fd)
	return sysBind(fd, netip.AddrPortFrom(a, 0)) == nil
}

// ownsWithout is Owns if the list of the host's addresses cannot be had, for the reason err.
func ownsWithout(err error, a netip.Addr) bool {
	return errors.Is(err, syscall.EAFNOSUPPORT) && ownsByBind(a)
}

func familyOf(a netip.Addr) network.Family {
	if a.Is4() {
		return network.IPv4
	}
	return network.IPv6
}
