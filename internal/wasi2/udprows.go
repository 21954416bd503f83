package wasi2

import (
	"net/netip"
	"slices"

	"github.com/wasport/wasport/internal/component/canon"
)

var socketsUDP = table{
	name: "wasi:sockets/udp",
	uses: []use{
		{"wasi:io/poll", []string{"pollable"}},
		{networkTypes, []string{"network", "error-code", "ip-socket-address",
			"ip-address-family"}},
	},
	types: `
		record incoming-datagram { data: list<u8>, remote-address: ip-socket-address }
		record outgoing-datagram { data: list<u8>, remote-address: option<ip-socket-address> }
		resource udp-socket;
		resource incoming-datagram-stream;
		resource outgoing-datagram-stream;`,
	drops: map[string]func(*Guest, uint32) error{
		"udp-socket": func(g *Guest, rep uint32) error {
			remove(g, &g.udp, rep).drop(g)
			return nil
		},
		"incoming-datagram-stream": func(g *Guest, rep uint32) error {
			remove(g, &g.incoming, rep).drop(g)
			return nil
		},
		"outgoing-datagram-stream": func(g *Guest, rep uint32) error {
			remove(g, &g.outgoing, rep).drop(g)
			return nil
		},
	},
	rows: slices.Concat([]row{
		{"[method]udp-socket.start-bind", "(self: borrow<udp-socket>, network: borrow<network>, " +
			"local-address: ip-socket-address) -> result<_, error-code>", udpStartBind, nil},
		{"[method]udp-socket.finish-bind", "(self: borrow<udp-socket>) -> result<_, error-code>",
			udpFinishBind, nil},
		{"[method]udp-socket.stream",
			"(self: borrow<udp-socket>, remote-address: option<ip-socket-address>) -> " +
				"result<tuple<incoming-datagram-stream, outgoing-datagram-stream>, error-code>",
			udpStream, nil},
		{"[method]udp-socket.local-address",
			"(self: borrow<udp-socket>) -> result<ip-socket-address, error-code>",
			udpAddress((*udpSocket).localAddress), nil},
		{"[method]udp-socket.remote-address",
			"(self: borrow<udp-socket>) -> result<ip-socket-address, error-code>",
			udpAddress((*udpSocket).remoteAddress), nil},
		{"[method]udp-socket.address-family", "(self: borrow<udp-socket>) -> ip-address-family",
			udpFamily, nil},
		{"[method]udp-socket.subscribe", "(self: borrow<udp-socket>) -> pollable",
			udpSubscribe, nil},

		{"[method]incoming-datagram-stream.receive",
			"(self: borrow<incoming-datagram-stream>, max-results: u64) -> " +
				"result<list<incoming-datagram>, error-code>", nil, directReceive},
		{"[method]incoming-datagram-stream.subscribe",
			"(self: borrow<incoming-datagram-stream>) -> pollable", subscribeIncoming, nil},
		{"[method]outgoing-datagram-stream.check-send",
			"(self: borrow<outgoing-datagram-stream>) -> result<u64, error-code>",
			nil, directCheckSend},
		{"[method]outgoing-datagram-stream.send",
			"(self: borrow<outgoing-datagram-stream>, datagrams: list<outgoing-datagram>) -> " +
				"result<u64, error-code>", nil, directSend},
		{"[method]outgoing-datagram-stream.subscribe",
			"(self: borrow<outgoing-datagram-stream>) -> pollable", subscribeOutgoing, nil},
	},
		udpOption("unicast-hop-limit", hopLimit),
		udpOption("receive-buffer-size", receiveBufferSize),
		udpOption("send-buffer-size", sendBufferSize)),
}

func udpOption(name string, kind optionKind) []row {
	return optionRows("udp-socket", name, kind,
		func(g *Guest, rep uint32) *endpoint { return &g.udp.at(rep).endpoint })
}

func udpOf(g *Guest, c *canon.Call) *udpSocket { return g.udp.at(c.Arg(0).Rep()) }

func udpStartBind(g *Guest, c *canon.Call) error {
	return g.returnCode(c, canon.Case(0), udpOf(g, c).startBind(g, addrPortOf(c.Arg(2))))
}

func udpFinishBind(g *Guest, c *canon.Call) error {
	return g.returnCode(c, canon.Case(0), udpOf(g, c).finishBind(g))
}

func udpStream(g *Guest, c *canon.Call) error {
	s := udpOf(g, c)
	a, err := s.stream(g, optionalAddress(c.Arg(1)))
	if err != nil {
		return g.returnCode(c, canon.Value{}, err)
	}
	in, err := put(g, &g.incoming, &incoming{description: s.use(), association: a})
	if err != nil {
		return err
	}
	out, err := put(g, &g.outgoing,
		&outgoing{description: s.use(), association: a, family: s.family})
	c.Return(canon.OK(canon.Tuple(canon.Rep(in), canon.Rep(out))))
	return err
}

func udpAddress(call func(*udpSocket, *Guest) (netip.AddrPort, error)) func(*Guest,
	*canon.Call) error {
	return func(g *Guest, c *canon.Call) error {
		a, err := call(udpOf(g, c), g)
		return g.returnAddress(c, a, err)
	}
}

func udpFamily(g *Guest, c *canon.Call) error {
	c.Return(familyValue(udpOf(g, c).family))
	return nil
}

func udpSubscribe(g *Guest, c *canon.Call) error { return g.returnPollable(c, udpOf(g, c)) }

func subscribeIncoming(g *Guest, c *canon.Call) error {
	return g.returnPollable(c, g.incoming.at(c.Arg(0).Rep()))
}

func subscribeOutgoing(g *Guest, c *canon.Call) error {
	return g.returnPollable(c, g.outgoing.at(c.Arg(0).Rep()))
}
