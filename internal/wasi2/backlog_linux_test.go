package wasi2

import "testing"

// TestConnectUnderWay fills the queue of a listener, whose length is set while it listens. The
// connect that follows stays under way until the listener accepts.
func TestConnectUnderWay(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		c := newNetCaller(t, anyLoopback...)
		l, at := c.listen(f)
		c.wants(`ok`, tcpMethod+"set-listen-backlog-size", l, 1)
		dial(t, at)
		dial(t, at) // Linux lets one more than the backlog wait
		s := c.handle(createTCP, f.number)
		c.wants(`ok`, tcpMethod+"start-connect", s, c.network, flat(at))
		c.wants(`err(would-block)`, tcpMethod+"finish-connect", s)
		c.wants(`false`, "io/poll.[method]pollable.ready", c.handle(tcpMethod+"subscribe", s))
		c.wants(`err(concurrency-conflict)`, tcpMethod+"start-connect",
			s, c.network, flat(at))
		c.accept(l)
		c.block(tcpMethod+"subscribe", s) // the system tries again within some seconds
		c.handles(tcpMethod+"finish-connect", s)
	})
}
