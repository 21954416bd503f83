package wasi2

import (
	"math"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/network"
)

// optionKind is an option of sockets that has a getter and a setter.
type optionKind uint8

const (
	keepAliveEnabled optionKind = iota
	keepAliveIdleTime
	keepAliveInterval
	keepAliveCount
	hopLimit
	receiveBufferSize
	sendBufferSize
	optionKinds
)

// optionSpecs have for each optionKind the option of the host, and the range of values in its unit.
// A value is unit times as great for the guest. The guest's 0 is an invalid-argument, except for a
// bool, and others are rounded up and clamped.
var optionSpecs = [optionKinds]struct {
	name, typ string // as in tcp.wit
	option    network.Option
	max, unit uint64
}{
	keepAliveEnabled:  {"keep-alive-enabled", "bool", network.KeepAlive, 1, 1},
	keepAliveIdleTime: {"keep-alive-idle-time", "duration", network.KeepIdle, 32_767, 1e9},
	keepAliveInterval: {"keep-alive-interval", "duration", network.KeepInterval, 32_767, 1e9},
	keepAliveCount:    {"keep-alive-count", "u32", network.KeepCount, 127, 1},
	hopLimit:          {"hop-limit", "u8", network.TTL, 255, 1},
	receiveBufferSize: {"receive-buffer-size", "u64", network.RecvBuffer, math.MaxInt32, 1},
	sendBufferSize:    {"send-buffer-size", "u64", network.SendBuffer, math.MaxInt32, 1},
}

// options are the values that the guest set, in the host's unit. The sizes of buffers read back as
// they were set, which the system may round or limit (socket(7), SO_RCVBUF). An accepted socket
// gets the values that its listener has at that time.
type options struct {
	set    [optionKinds]bool
	values [optionKinds]int64
}

// defaultHopLimit is that of systems that do not tell theirs (RFC 1700, IP parameters).
const defaultHopLimit = 64

// option returns the value of an option.
func (e *endpoint) option(g *Guest, kind optionKind) (uint64, error) {
	isBuffer := kind == receiveBufferSize || kind == sendBufferSize
	switch {
	case e.failed:
		return 0, invalidState
	case isBuffer && e.options.set[kind]:
		return uint64(e.options.values[kind]), nil
	}
	v, err := g.Option(e.fd, e.hostOption(kind))
	switch {
	case err != nil:
		return 0, err
	case isBuffer:
		v /= bufferFactor
	case kind == hopLimit && v < 0:
		v = defaultHopLimit
	}
	return uint64(max(v, 0)) * optionSpecs[kind].unit, nil
}

// setOption sets an option.
func (e *endpoint) setOption(g *Guest, kind optionKind, value uint64) error {
	spec := &optionSpecs[kind]
	switch {
	case e.failed:
		return invalidState
	case value == 0 && kind != keepAliveEnabled:
		return invalidArgument
	}
	rounded := value / spec.unit
	if value%spec.unit > 0 {
		rounded++
	}
	v := int64(min(rounded, spec.max))
	if err := e.apply(g, kind, v); err != nil {
		return err
	}
	e.options.set[kind], e.options.values[kind] = true, v
	return nil
}

// apply sets an option of the host's socket. The size of a buffer is a wish, so that it never fails
// (tcp.wit, set-receive-buffer-size).
func (e *endpoint) apply(g *Guest, kind optionKind, v int64) error {
	err := g.SetOption(e.fd, e.hostOption(kind), v)
	if kind == receiveBufferSize || kind == sendBufferSize {
		return g.Err()
	}
	return err
}

// inherit gives an accepted socket the values of its listener, those too that were set after the
// connection was established. Systems inherit before, or not at all.
func (e *endpoint) inherit(g *Guest, listener *endpoint) error {
	e.options = listener.options
	for kind, set := range e.options.set {
		if !set {
			continue
		}
		if err := e.apply(g, optionKind(kind), e.options.values[kind]); err != nil {
			return err
		}
	}
	return nil
}

func (e *endpoint) hostOption(kind optionKind) network.Option {
	if kind == hopLimit && e.family == network.IPv6 {
		return network.HopLimit
	}
	return optionSpecs[kind].option
}

// optionRows returns the getter and the setter of an option of a resource, which has a name of its
// own for it.
func optionRows(resource, name string, kind optionKind,
	at func(*Guest, uint32) *endpoint) []row {
	typ := optionSpecs[kind].typ
	return []row{
		{"[method]" + resource + "." + name,
			"(self: borrow<" + resource + ">) -> result<" + typ + ", error-code>",
			func(g *Guest, c *canon.Call) error {
				v, err := at(g, c.Arg(0).Rep()).option(g, kind)
				return g.returnCode(c, canon.OK(canon.Uint(v)), err)
			}, nil},
		{"[method]" + resource + ".set-" + name,
			"(self: borrow<" + resource + ">, value: " + typ + ") -> result<_, error-code>",
			func(g *Guest, c *canon.Call) error {
				err := at(g, c.Arg(0).Rep()).setOption(g, kind, c.Arg(1).Uint())
				return g.returnCode(c, canon.Case(0), err)
			}, nil},
	}
}
