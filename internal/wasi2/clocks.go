package wasi2

import (
	"math"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/wasi"
)

var clocksMonotonic = table{
	name:  "wasi:clocks/monotonic-clock",
	uses:  []use{{"wasi:io/poll", []string{"pollable"}}},
	types: `type instant = u64; type duration = u64;`,
	rows: []row{
		{"now", "() -> instant", monotonicNow, directMonotonicNow},
		{"resolution", "() -> duration", monotonicResolution, nil},
		{"subscribe-instant", "(when: instant) -> pollable", subscribeInstant, nil},
		{"subscribe-duration", "(when: duration) -> pollable", subscribeDuration, nil},
	},
}

var clocksWall = table{
	name:  "wasi:clocks/wall-clock",
	types: `record datetime { seconds: u64, nanoseconds: u32 }`,
	rows: []row{
		{"now", "() -> datetime", wallNow, nil},
		{"resolution", "() -> datetime", wallResolution, nil},
	},
}

// monotonicNow returns the time since the guest's start.
func monotonicNow(g *Guest, c *canon.Call) error {
	now, err := g.Now(wasi.ClockMonotonic)
	c.Return(canon.Uint(now))
	return err
}

func directMonotonicNow(g *Guest, _ *canon.Call, stack []uint64) (err error) {
	stack[0], err = g.Now(wasi.ClockMonotonic)
	return err
}

func monotonicResolution(g *Guest, c *canon.Call) error {
	ns, err := g.Resolution(wasi.ClockMonotonic)
	c.Return(canon.Uint(ns))
	return err
}

func subscribeInstant(g *Guest, c *canon.Call) error {
	return g.returnTimer(c, c.Arg(0).Uint())
}

func subscribeDuration(g *Guest, c *canon.Call) error {
	now, err := g.Now(wasi.ClockMonotonic)
	if err != nil {
		return err
	}
	// A time beyond 290 years from now never comes: see system.Poll.
	return g.returnTimer(c, now+min(c.Arg(0).Uint(), math.MaxUint64-now))
}

func (g *Guest) returnTimer(c *canon.Call, when uint64) error {
	rep, err := g.subscribe(nil, when)
	c.Return(canon.Rep(rep))
	return err
}

func wallNow(g *Guest, c *canon.Call) error {
	ns, err := g.Now(wasi.ClockRealtime)
	c.Return(datetime(ns))
	return err
}

func wallResolution(g *Guest, c *canon.Call) error {
	ns, err := g.Resolution(wasi.ClockRealtime)
	c.Return(datetime(ns))
	return err
}

const nanosecondsPerSecond = 1e9

// datetime makes a datetime of nanoseconds since 1970.
func datetime(ns uint64) canon.Value {
	return canon.Tuple(canon.Uint(ns/nanosecondsPerSecond), canon.Uint(ns%nanosecondsPerSecond))
}
