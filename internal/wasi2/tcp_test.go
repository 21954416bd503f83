package wasi2

import (
	"strings"
	"testing"
)

// tcpStates makes a socket in each state.
var tcpStates = []struct {
	state tcpState
	make  func(c *netCaller, f family) uint64
}{
	{tcpUnbound, func(c *netCaller, f family) uint64 { return c.handle(createTCP, f.number) }},
	{tcpBindStarted, func(c *netCaller, f family) uint64 {
		s := c.handle(createTCP, f.number)
		c.wants(`ok`, tcpMethod+"start-bind", s, c.network, flatText(f.loopback))
		return s
	}},
	{tcpBound, func(c *netCaller, f family) uint64 {
		return c.bind(createTCP, tcpMethod, f, f.loopback)
	}},
	{tcpListenStarted, func(c *netCaller, f family) uint64 {
		s := c.bind(createTCP, tcpMethod, f, f.loopback)
		c.wants(`ok`, tcpMethod+"start-listen", s)
		return s
	}},
	{tcpListening, func(c *netCaller, f family) uint64 { s, _ := c.listen(f); return s }},
	{tcpConnectStarted, func(c *netCaller, f family) uint64 {
		_, to := listener(c, f)
		s := c.handle(createTCP, f.number)
		c.wants(`ok`, tcpMethod+"start-connect", s, c.network, flat(to))
		c.block(tcpMethod+"subscribe", s)
		return s
	}},
	{tcpConnected, func(c *netCaller, f family) uint64 {
		_, to := listener(c, f)
		s, _, _ := c.connect(f, to)
		return s
	}},
	{tcpClosed, func(c *netCaller, f family) uint64 {
		s := c.handle(createTCP, f.number)
		c.wants(`ok`, tcpMethod+"start-connect", s, c.network, flat(closedPort(c, f)))
		c.block(tcpMethod+"subscribe", s)
		c.wants(`err(connection-refused)`, tcpMethod+"finish-connect", s)
		return s
	}},
}

// short names of the results in the tables of states.
var results = map[string]string{
	"ok": "ok", "conflict": "err(concurrency-conflict)", "state": "err(invalid-state)",
	"progress": "err(not-in-progress)", "block": "err(would-block)",
	"argument": "err(invalid-argument)", "true": "true", "false": "false",
}

// resultOf returns the result with a short name; "family" is the family itself.
func resultOf(name string, f family) string {
	if name == "family" {
		return f.name
	}
	return results[name]
}

// outcome returns a result without the value of ok.
func outcome(text string) string {
	if strings.HasPrefix(text, "ok(") {
		return "ok"
	}
	return text
}

// TestTCPFunctionsInEachState calls every function in every state.
func TestTCPFunctionsInEachState(t *testing.T) {
	local := func(f family) []uint64 { return flatText(f.loopback) }
	remote := func(f family) []uint64 {
		return flatText(strings.TrimSuffix(f.loopback, "0") + "9")
	}
	wrong := func(f family) []uint64 { return flatText(f.other) }
	none := func(family) []uint64 { return nil }
	value := func(v uint64) func(family) []uint64 {
		return func(family) []uint64 { return []uint64{v} }
	}
	// The columns are the states: unbound, bind-started, bound, listen-started, listening,
	// connect-started, connected, closed.
	for _, test := range []struct {
		function string
		args     func(family) []uint64
		want     string
	}{
		{"start-bind", local,
			"ok conflict state conflict state conflict state state"},
		{"start-bind", wrong,
			"argument conflict state conflict state conflict state state"},
		{"finish-bind", none,
			"progress ok progress progress progress progress progress progress"},
		{"start-connect", remote,
			"ok conflict ok conflict state conflict state state"},
		{"start-connect", wrong,
			"argument conflict argument conflict state conflict state state"},
		{"finish-connect", none,
			"progress progress progress progress progress ok progress progress"},
		{"start-listen", none,
			"state conflict ok conflict state conflict state state"},
		{"finish-listen", none,
			"progress progress progress ok progress progress progress progress"},
		{"accept", none,
			"state conflict state conflict block conflict state state"},
		{"local-address", none, "state state ok ok ok ok ok state"},
		{"remote-address", none, "state state state state state state ok state"},
		{"is-listening", none, "false false false false true false false false"},
		{"address-family", none,
			"family family family family family family family family"},
		{"set-listen-backlog-size", value(5), "ok ok ok ok ok state state state"},
		{"set-listen-backlog-size", value(0),
			"argument argument argument argument argument state state state"},
		{"shutdown", value(0), "state state state state state state ok state"},
		{"keep-alive-enabled", none, "ok ok ok ok ok ok ok state"},
		{"set-keep-alive-enabled", value(0), "ok ok ok ok ok ok ok state"},
		{"keep-alive-idle-time", none, "ok ok ok ok ok ok ok state"},
		{"set-keep-alive-idle-time", value(1), "ok ok ok ok ok ok ok state"},
		{"keep-alive-interval", none, "ok ok ok ok ok ok ok state"},
		{"set-keep-alive-interval", value(1), "ok ok ok ok ok ok ok state"},
		{"keep-alive-count", none, "ok ok ok ok ok ok ok state"},
		{"set-keep-alive-count", value(1), "ok ok ok ok ok ok ok state"},
		{"hop-limit", none, "ok ok ok ok ok ok ok state"},
		{"set-hop-limit", value(9), "ok ok ok ok ok ok ok state"},
		{"receive-buffer-size", none, "ok ok ok ok ok ok ok state"},
		{"set-receive-buffer-size", value(9), "ok ok ok ok ok ok ok state"},
		{"send-buffer-size", none, "ok ok ok ok ok ok ok state"},
		{"set-send-buffer-size", value(0),
			"argument argument argument argument argument argument argument state"},
	} {
		t.Run(test.function, func(t *testing.T) {
			eachFamily(t, func(t *testing.T, f family) {
				c := newNetCaller(t, anyLoopback...)
				for i, want := range strings.Fields(test.want) {
					s := tcpStates[i].make(c, f)
					self := []any{s}
					if strings.HasPrefix(test.function, "start-") &&
						test.function != "start-listen" {
						self = append(self, c.network)
					}
					got := outcome(c.call(tcpMethod+test.function, self, test.args(f)))
					if want = resultOf(want, f); got != want {
						t.Errorf("state %d: got %s, want %s", i, got, want)
					}
				}
			})
		})
	}
}
