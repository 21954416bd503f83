package wasi2

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/system"
)

// TestPollOfSockets polls a timer, a listener, a connection that is under way and an input stream.
// Each fires in turn, and all that are ready are told.
func TestPollOfSockets(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		c := newNetCaller(t, anyLoopback...)
		idle, idleAt := c.listen(f)
		l, at := c.listen(f)
		conn := dial(t, at)
		_, in, _ := c.accept(l)
		never := c.handle("clocks/monotonic-clock.subscribe-duration", uint64(1<<62))
		readable, acceptable := c.handle(inStream+"subscribe", in),
			c.handle(tcpMethod+"subscribe", idle)
		list := c.pollables(never, acceptable, readable)

		io.WriteString(conn, "x")
		c.wants(`[2]`, "io/poll.poll", list, 3)
		c.wants(`ok("x")`, inStream+"read", in, 10)
		dial(t, idleAt)
		c.wants(`[1]`, "io/poll.poll", list, 3)
		io.WriteString(conn, "y")
		c.block(inStream+"subscribe", in)
		c.wants(`[1, 2]`, "io/poll.poll", list, 3)
		c.accept(idle)
		c.wants(`ok("y")`, inStream+"read", in, 10)
		soon := c.handle("clocks/monotonic-clock.subscribe-duration", 1e6)
		c.wants(`[0]`, "io/poll.poll", c.pollables(soon, acceptable, readable), 3)

		// The pollable of a socket looks at the state of the moment.
		s := c.handle(createTCP, f.number)
		p := c.handle(tcpMethod+"subscribe", s)
		c.wants(`true`, "io/poll.[method]pollable.ready", p)
		c.wants(`ok`, tcpMethod+"start-connect", s, c.network, flat(idleAt))
		c.wants(`[1]`, "io/poll.poll", c.pollables(never, p), 2)
		c.handles(tcpMethod+"finish-connect", s)
		c.wants(`true`, "io/poll.[method]pollable.ready", p)
	})
}

// TestBusyPolling polls 100 connections and a timer of 0 again and again, and answers on each. The
// timer must not starve the sockets.
func TestBusyPolling(t *testing.T) {
	const connections, maxRounds = 100, 1_000_000
	c := newNetCaller(t, anyLoopback...)
	l, at := c.listen(families[0])
	var conns []net.Conn
	var ins, outs, pollables []uint64
	for range connections {
		conns = append(conns, dial(t, at))
		_, in, out := c.accept(l)
		ins, outs = append(ins, in), append(outs, out)
		pollables = append(pollables, c.handle(inStream+"subscribe", in))
	}
	pollables = append(pollables, c.handle("clocks/monotonic-clock.subscribe-duration", 0))
	failed := make(chan error, 1)
	go func() {
		defer close(failed)
		for _, conn := range conns { // one after the other, each once the last was answered
			io.WriteString(conn, "x")
			if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
				failed <- err
				return
			}
		}
	}()
	list, rounds := c.pollables(pollables...), 0
	for answered := 0; answered < connections; {
		if rounds++; rounds > connections*maxRounds {
			t.Fatalf("got %d answers after %d rounds, want %d", answered, rounds, connections)
		}
		c.free = firstFree + 4096 // the list stays
		ready := c.call("io/poll.poll", list, connections+1)
		if !strings.HasSuffix(ready, fmt.Sprintf("%d]", connections)) {
			t.Fatalf("got %s, want the timer in it", ready)
		}
		for _, i := range c.numbers(ready) {
			if i < connections {
				c.wants(`ok("x")`, inStream+"read", ins[i], 10)
				c.send(outs[i], "x")
				answered++
			}
		}
	}
	if err := <-failed; err != nil {
		t.Error(err)
	}
}

// TestEndOfGuestThatPolls ends a guest that waits for sockets.
func TestEndOfGuestThatPolls(t *testing.T) {
	c := newNetCaller(t, anyLoopback...)
	l, at := c.listen(families[0])
	dial(t, at)
	_, in, _ := c.accept(l)
	p := c.handle(inStream+"subscribe", in)
	go c.Kill(system.ErrCPU)
	if got, err := c.try("io/poll.poll", c.pollables(p), 1); err != system.ErrCPU {
		t.Errorf("got %s, %v, want %v", got, err, system.ErrCPU)
	}
}
