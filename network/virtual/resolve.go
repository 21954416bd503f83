package virtual

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"github.com/wasport/wasport/network"
)

// localhost is the name of each host for itself (RFC 6761, section 6.3).
const localhost = "localhost"

// LookupAddrs resolves the names of hosts, and localhost. Other names go to the gateway, if there
// is one.
func (h *Host) LookupAddrs(ctx context.Context, family network.Family, name string) ([]netip.Addr,
	error) {
	key := canonicalName(name)
	h.world.mu.RLock()
	found, gateway := h.world.byName[key], h.world.gateway
	h.world.mu.RUnlock()
	var addrs []netip.Addr
	switch {
	case key == localhost || strings.HasSuffix(key, "."+localhost):
		addrs = []netip.Addr{netip.IPv6Loopback(), loopback4}
	case found != nil:
		addrs = found.addrs
	case gateway != nil:
		return gateway.LookupAddrs(ctx, family, name)
	}
	var list []netip.Addr
	for _, a := range addrs {
		if family == network.AnyFamily || a.Is4() == (family == network.IPv4) {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return nil, &network.LookupError{Name: name, Failure: network.NoSuchHost}
	}
	return list, nil
}

// LookupRecords asks the gateway, if there is one. The hosts of the world have addresses alone.
func (h *Host) LookupRecords(ctx context.Context, name string, typ uint16) ([]byte, error) {
	h.world.mu.RLock()
	inside := h.world.byName[canonicalName(name)] != nil
	h.world.mu.RUnlock()
	gateway, ok := h.gateway().(network.RecordResolver)
	if inside || !ok {
		return nil, syscall.EOPNOTSUPP
	}
	return gateway.LookupRecords(ctx, name, typ)
}

// LookupPort returns the ports of the best-known services, and asks the gateway for others.
func (h *Host) LookupPort(ctx context.Context, typ network.Type, service string) (uint16, error) {
	if gateway := h.gateway(); gateway != nil {
		return gateway.LookupPort(ctx, typ, service)
	}
	protocols := map[network.Type][]string{network.AnyType: {"tcp", "udp"},
		network.Stream: {"tcp"}, network.Datagram: {"udp"}}
	for _, protocol := range protocols[typ] {
		if n, err := net.DefaultResolver.LookupPort(ctx, protocol, service); err == nil {
			return uint16(n), nil
		}
	}
	return 0, &network.LookupError{Name: service, Failure: network.NoSuchHost}
}
