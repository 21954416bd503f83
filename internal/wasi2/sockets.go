package wasi2

import (
	"net/netip"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/network"
)

func socketTables() []*table {
	return []*table{
		&socketsNetwork, &socketsInstanceNetwork, &socketsTCP, &socketsTCPCreate, &socketsUDP,
		&socketsUDPCreate, &socketsLookup,
	}
}

const networkTypes = "wasi:sockets/network"

var socketsNetwork = table{
	name: networkTypes,
	uses: []use{{"wasi:io/error", []string{"error"}}},
	types: `
		resource network;
		enum error-code {
			unknown, access-denied, not-supported, invalid-argument, out-of-memory, timeout,
			concurrency-conflict, not-in-progress, would-block, invalid-state, new-socket-limit,
			address-not-bindable, address-in-use, remote-unreachable, connection-refused,
			connection-reset, connection-aborted, datagram-too-large, name-unresolvable,
			temporary-resolver-failure, permanent-resolver-failure
		}
		enum ip-address-family { ipv4, ipv6 }
		type ipv4-address = tuple<u8, u8, u8, u8>;
		type ipv6-address = tuple<u16, u16, u16, u16, u16, u16, u16, u16>;
		variant ip-address { ipv4(ipv4-address), ipv6(ipv6-address) }
		record ipv4-socket-address { port: u16, address: ipv4-address }
		record ipv6-socket-address {
			port: u16, flow-info: u32, address: ipv6-address, scope-id: u32
		}
		variant ip-socket-address { ipv4(ipv4-socket-address), ipv6(ipv6-socket-address) }`,
	drops: map[string]func(*Guest, uint32) error{
		"network": func(*Guest, uint32) error { return nil },
	},
	rows: []row{
		{"network-error-code", "(err: borrow<error>) -> option<error-code>", networkErrorCode, nil},
	},
}

var socketsInstanceNetwork = table{
	name: "wasi:sockets/instance-network",
	uses: []use{{networkTypes, []string{"network"}}},
	rows: []row{
		{"instance-network", "() -> network",
			func(g *Guest, c *canon.Call) error { c.Return(canon.Rep(0)); return nil }, nil},
	},
}

var socketsTCPCreate = table{
	name: "wasi:sockets/tcp-create-socket",
	uses: []use{
		{networkTypes, []string{"network", "error-code", "ip-address-family"}},
		{"wasi:sockets/tcp", []string{"tcp-socket"}},
	},
	rows: []row{
		{"create-tcp-socket",
			"(address-family: ip-address-family) -> result<tcp-socket, error-code>",
			createSocket((*Guest).createTCP), nil},
	},
}

var socketsUDPCreate = table{
	name: "wasi:sockets/udp-create-socket",
	uses: []use{
		{networkTypes, []string{"network", "error-code", "ip-address-family"}},
		{"wasi:sockets/udp", []string{"udp-socket"}},
	},
	rows: []row{
		{"create-udp-socket",
			"(address-family: ip-address-family) -> result<udp-socket, error-code>",
			createSocket((*Guest).createUDP), nil},
	},
}

var socketsLookup = table{
	name: "wasi:sockets/ip-name-lookup",
	uses: []use{
		{"wasi:io/poll", []string{"pollable"}},
		{networkTypes, []string{"network", "error-code", "ip-address"}},
	},
	types: `resource resolve-address-stream;`,
	drops: map[string]func(*Guest, uint32) error{
		"resolve-address-stream": func(g *Guest, rep uint32) error {
			remove(g, &g.lookups, rep).drop(g)
			return nil
		},
	},
	rows: []row{
		{"resolve-addresses", "(network: borrow<network>, name: string) -> " +
			"result<resolve-address-stream, error-code>", resolveAddresses, nil},
		{"[method]resolve-address-stream.resolve-next-address",
			"(self: borrow<resolve-address-stream>) -> result<option<ip-address>, error-code>",
			resolveNextAddress, nil},
		{"[method]resolve-address-stream.subscribe",
			"(self: borrow<resolve-address-stream>) -> pollable", subscribeLookup, nil},
	},
}

func createSocket(create func(*Guest, network.Family) (uint32, error)) func(*Guest,
	*canon.Call) error {
	return func(g *Guest, c *canon.Call) error {
		rep, err := create(g, familyOf(c.Arg(0)))
		return g.returnCode(c, canon.OK(canon.Rep(rep)), err)
	}
}

func resolveAddresses(g *Guest, c *canon.Call) error {
	l, err := g.resolve(c.Arg(1).Text())
	if err != nil {
		return g.returnCode(c, canon.Value{}, err)
	}
	rep, err := put(g, &g.lookups, l)
	return g.returnCode(c, canon.OK(canon.Rep(rep)), err)
}

func resolveNextAddress(g *Guest, c *canon.Call) error {
	a, more, err := g.lookups.at(c.Arg(0).Rep()).next(g)
	ok := canon.OK(canon.None())
	if more {
		ok = canon.OK(canon.Some(addrValue(a)))
	}
	return g.returnCode(c, ok, err)
}

func subscribeLookup(g *Guest, c *canon.Call) error {
	return g.returnPollable(c, g.lookups.at(c.Arg(0).Rep()))
}

// returnAddress returns an ip-socket-address, or the error-code of err.
func (g *Guest) returnAddress(c *canon.Call, a netip.AddrPort, err error) error {
	if err != nil {
		return g.returnCode(c, canon.Value{}, err)
	}
	c.Return(canon.OK(addrPortValue(a)))
	return nil
}

// optionalAddress returns an ip-socket-address, or the invalid address for none of an option.
func optionalAddress(v canon.Value) netip.AddrPort {
	if v.Case() == 0 {
		return netip.AddrPort{}
	}
	return addrPortOf(v.Payload())
}
