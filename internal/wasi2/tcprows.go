package wasi2

import (
	"net/netip"
	"slices"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/network"
)

var socketsTCP = table{
	name: "wasi:sockets/tcp",
	uses: []use{
		{"wasi:io/streams", []string{"input-stream", "output-stream"}},
		{"wasi:io/poll", []string{"pollable"}},
		{"wasi:clocks/monotonic-clock", []string{"duration"}},
		{networkTypes, []string{"network", "error-code", "ip-socket-address",
			"ip-address-family"}},
	},
	types: `
		enum shutdown-type { receive, send, both }
		resource tcp-socket;`,
	drops: map[string]func(*Guest, uint32) error{
		"tcp-socket": func(g *Guest, rep uint32) error {
			remove(g, &g.tcp, rep).drop(g)
			return nil
		},
	},
	rows: slices.Concat([]row{
		{"[method]tcp-socket.start-bind", "(self: borrow<tcp-socket>, network: borrow<network>, " +
			"local-address: ip-socket-address) -> result<_, error-code>",
			tcpWithAddress((*tcpSocket).startBind), nil},
		{"[method]tcp-socket.finish-bind", "(self: borrow<tcp-socket>) -> result<_, error-code>",
			tcpCall((*tcpSocket).finishBind), nil},
		{"[method]tcp-socket.start-connect", "(self: borrow<tcp-socket>, " +
			"network: borrow<network>, remote-address: ip-socket-address) -> " +
			"result<_, error-code>", tcpWithAddress((*tcpSocket).startConnect), nil},
		{"[method]tcp-socket.finish-connect", "(self: borrow<tcp-socket>) -> " +
			"result<tuple<input-stream, output-stream>, error-code>", tcpFinishConnect, nil},
		{"[method]tcp-socket.start-listen", "(self: borrow<tcp-socket>) -> result<_, error-code>",
			tcpCall((*tcpSocket).startListen), nil},
		{"[method]tcp-socket.finish-listen", "(self: borrow<tcp-socket>) -> result<_, error-code>",
			tcpCall((*tcpSocket).finishListen), nil},
		{"[method]tcp-socket.accept", "(self: borrow<tcp-socket>) -> " +
			"result<tuple<tcp-socket, input-stream, output-stream>, error-code>", tcpAccept, nil},
		{"[method]tcp-socket.local-address",
			"(self: borrow<tcp-socket>) -> result<ip-socket-address, error-code>",
			tcpAddress((*tcpSocket).localAddress), nil},
		{"[method]tcp-socket.remote-address",
			"(self: borrow<tcp-socket>) -> result<ip-socket-address, error-code>",
			tcpAddress((*tcpSocket).remoteAddress), nil},
		{"[method]tcp-socket.is-listening", "(self: borrow<tcp-socket>) -> bool",
			tcpIsListening, nil},
		{"[method]tcp-socket.address-family", "(self: borrow<tcp-socket>) -> ip-address-family",
			tcpFamily, nil},
		{"[method]tcp-socket.set-listen-backlog-size",
			"(self: borrow<tcp-socket>, value: u64) -> result<_, error-code>",
			tcpSetBacklog, nil},
		{"[method]tcp-socket.subscribe", "(self: borrow<tcp-socket>) -> pollable",
			tcpSubscribe, nil},
		{"[method]tcp-socket.shutdown",
			"(self: borrow<tcp-socket>, shutdown-type: shutdown-type) -> result<_, error-code>",
			tcpShutdown, nil},
	},
		tcpOption(keepAliveEnabled), tcpOption(keepAliveIdleTime), tcpOption(keepAliveInterval),
		tcpOption(keepAliveCount), tcpOption(hopLimit), tcpOption(receiveBufferSize),
		tcpOption(sendBufferSize)),
}

func tcpOption(kind optionKind) []row {
	return optionRows("tcp-socket", optionSpecs[kind].name, kind,
		func(g *Guest, rep uint32) *endpoint { return &g.tcp.at(rep).endpoint })
}

func tcpOf(g *Guest, c *canon.Call) *tcpSocket { return g.tcp.at(c.Arg(0).Rep()) }

func tcpCall(call func(*tcpSocket, *Guest) error) func(*Guest, *canon.Call) error {
	return func(g *Guest, c *canon.Call) error {
		return g.returnCode(c, canon.Case(0), call(tcpOf(g, c), g))
	}
}

func tcpWithAddress(call func(*tcpSocket, *Guest, netip.AddrPort) error) func(*Guest,
	*canon.Call) error {
	return func(g *Guest, c *canon.Call) error {
		return g.returnCode(c, canon.Case(0), call(tcpOf(g, c), g, addrPortOf(c.Arg(2))))
	}
}

func tcpAddress(call func(*tcpSocket, *Guest) (netip.AddrPort, error)) func(*Guest,
	*canon.Call) error {
	return func(g *Guest, c *canon.Call) error {
		a, err := call(tcpOf(g, c), g)
		return g.returnAddress(c, a, err)
	}
}

// putStreams gives the guest the streams of a connection.
func (s *tcpSocket) putStreams(g *Guest) (in, out canon.Value, err error) {
	input, err := put(g, &g.inputs, newInput(s.description))
	if err != nil {
		return in, out, err
	}
	output, err := put(g, &g.outputs, newOutput(s.description))
	return canon.Rep(input), canon.Rep(output), err
}

func tcpFinishConnect(g *Guest, c *canon.Call) error {
	s := tcpOf(g, c)
	if err := s.finishConnect(g); err != nil {
		return g.returnCode(c, canon.Value{}, err)
	}
	in, out, err := s.putStreams(g)
	c.Return(canon.OK(canon.Tuple(in, out)))
	return err
}

func tcpAccept(g *Guest, c *canon.Call) error {
	accepted, err := tcpOf(g, c).accept(g)
	if err != nil {
		return g.returnCode(c, canon.Value{}, err)
	}
	rep, err := put(g, &g.tcp, accepted)
	if err != nil {
		return err
	}
	in, out, err := accepted.putStreams(g)
	c.Return(canon.OK(canon.Tuple(canon.Rep(rep), in, out)))
	return err
}

func tcpIsListening(g *Guest, c *canon.Call) error {
	c.Return(canon.Bool(tcpOf(g, c).state == tcpListening))
	return nil
}

func tcpFamily(g *Guest, c *canon.Call) error {
	c.Return(familyValue(tcpOf(g, c).family))
	return nil
}

func tcpSetBacklog(g *Guest, c *canon.Call) error {
	return g.returnCode(c, canon.Case(0), tcpOf(g, c).setBacklog(g, c.Arg(1).Uint()))
}

func tcpSubscribe(g *Guest, c *canon.Call) error { return g.returnPollable(c, tcpOf(g, c)) }

func tcpShutdown(g *Guest, c *canon.Call) error {
	how := [...]network.How{network.ShutRead, network.ShutWrite, network.ShutBoth}[c.Arg(1).Case()]
	return g.returnCode(c, canon.Case(0), tcpOf(g, c).shutdown(g, how))
}
