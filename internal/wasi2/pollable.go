package wasi2

import (
	"slices"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
)

// maxPolled bounds the pollables of one poll: as many as the subscriptions of poll_oneoff.
const maxPolled = 2 * system.DefaultMaxDescriptors

// waitable is a condition that a pollable waits for. It looks at its state of the moment, not at
// that of the time when the pollable was made.
type waitable interface {
	// interest reports whether the condition holds already, as far as this package knows. If not,
	// it fills in x, for which the system must wait.
	interest(x *system.Subscription) (ready bool)
}

// pollable is a pollable. It does not own its condition: that of a dropped stream or socket holds.
type pollable struct {
	of waitable

	// when is the time of a timer, which has no waitable, on the monotonic clock.
	when uint64
}

func (p *pollable) interest(x *system.Subscription) (ready bool) {
	if p.of != nil {
		return p.of.interest(x)
	}
	x.Kind, x.Clock, x.Timeout, x.Absolute = system.Timer, wasi.ClockMonotonic, p.when, true
	return false
}

// subscribe makes a pollable. It reuses those that were dropped, since guests make one for each
// time that they wait.
func (g *Guest) subscribe(of waitable, when uint64) (uint32, error) {
	var p *pollable
	if n := len(g.spare); n > 0 {
		p, g.spare = g.spare[n-1], g.spare[:n-1]
	} else {
		p = new(pollable)
	}
	p.of, p.when = of, when
	return put(g, &g.pollables, p)
}

func (g *Guest) dropPollable(rep uint32) error {
	p := remove(g, &g.pollables, rep)
	p.of = nil
	g.spare = append(g.spare, p)
	return nil
}

// newInterest returns an empty Subscription for interest, which would be moved to the heap if it
// were a variable of the caller. It is valid until the next call.
func (g *Guest) newInterest() *system.Subscription {
	g.polled.one = system.Subscription{}
	return &g.polled.one
}

// ready reports whether the condition of a pollable holds now.
func (g *Guest) ready(p *pollable) (bool, error) {
	x := g.newInterest()
	if p.interest(x) {
		return true, nil
	}
	switch x.Kind {
	case system.Timer:
		now, err := g.Now(x.Clock)
		return now >= x.Timeout, err
	case system.Signalled:
		return x.Signal.IsSet(), nil
	}
	return g.Ready(x.FD, x.Kind)
}

// block waits until the condition of a pollable holds.
func (g *Guest) block(p *pollable) error {
	x := g.newInterest()
	if p.interest(x) {
		return nil
	}
	switch x.Kind {
	case system.Timer:
		g.polled.reps = append(g.polled.reps[:0], 0)
		g.polled.interests = append(g.polled.interests[:0], *x)
		_, err := g.wait(false)
		return err
	case system.Signalled:
		return g.AwaitSignal(x.Signal)
	}
	for {
		if err := g.Await(x.FD, x.Kind); err != nil {
			return err
		}
		// A wait may end early (network.Pollable).
		if ready, err := g.Ready(x.FD, x.Kind); ready || err != nil {
			return err
		}
		g.ChargeSteps(1)
	}
}

// polled is kept between calls of poll, since programs poll the same list again and again.
type polled struct {
	// reps are the pollables of the call.
	reps []uint32

	// interests are for the system to wait for; positions tells where their pollables stand in the
	// list. previous are the interests of the last call.
	interests, previous []system.Subscription
	positions           []uint32
	one                 system.Subscription

	// ready tells for each pollable whether its condition holds; result are the positions of those.
	ready  []bool
	result []uint32
}

// poll waits until a pollable of g.polled.reps is ready, and returns the positions of all that are,
// in order. The result is valid until the next call.
func (g *Guest) poll() ([]uint32, error) {
	p := &g.polled
	if len(p.reps) == 0 {
		return nil, trapf("the list is empty")
	}
	if g.ReservePoll(len(p.reps)) != nil {
		return nil, trapf("out of memory for a list of %d pollables", len(p.reps))
	}
	g.ChargeSteps(len(p.reps) / 64)
	p.interests, p.previous = p.previous[:0], p.interests
	p.positions, p.ready = p.positions[:0], p.ready[:0]
	anyReady := false
	for i, rep := range p.reps {
		x := g.newInterest()
		ready := g.pollables.at(rep).interest(x)
		p.ready = append(p.ready, ready)
		if ready {
			anyReady = true
			continue
		}
		p.interests = append(p.interests, *x)
		p.positions = append(p.positions, uint32(i))
	}
	if len(p.interests) > 0 {
		if err := g.pollSystem(anyReady); err != nil {
			return nil, err
		}
	}
	p.result = p.result[:0]
	for i, ready := range p.ready {
		if ready {
			p.result = append(p.result, uint32(i))
		}
	}
	return p.result, nil
}

// pollSystem asks the system for the interests. With anyReady it does not wait: the answer is
// there, but all others that are ready belong to it.
func (g *Guest) pollSystem(anyReady bool) error {
	p := &g.polled
	if anyReady {
		p.interests = append(p.interests, system.Subscription{Kind: system.Timer,
			Clock: wasi.ClockMonotonic})
	}
	events, err := g.wait(slices.Equal(p.interests, p.previous))
	if err != nil {
		return err
	}
	for _, e := range events {
		if e.Index < len(p.positions) {
			p.ready[p.positions[e.Index]] = true
		}
	}
	return nil
}

func (g *Guest) wait(unchanged bool) ([]system.Event, error) {
	return g.Poll(g.polled.interests, unchanged)
}
