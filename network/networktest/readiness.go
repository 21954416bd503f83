package networktest

import (
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/network"
)

var readinessParts = []part{
	{"deadline", nil, testDeadline},
	{"wait in both directions", nil, testWaitBoth},
	{"waits in the same direction", nil, testWaitsTogether},
	{"close wakes waits", nil, testCloseWakes},
	{"close during calls", nil, testCloseDuringCalls},
	{"notify", nil, testNotify},
	{"poll set", nil, testPollSet},
	{"poll set, failures", nil, testPollSetFailures},
}

func testDeadline(e env) {
	c, s := e.pair()
	for _, d := range []time.Duration{-time.Hour, 0, 20 * time.Millisecond} {
		start := time.Now()
		_, err := s.Wait(network.Readable, start.Add(d))
		e.wantDeadline("wait", err)
		if took := time.Since(start); took < d {
			e.Errorf("got a wait of %v, want at least %v", took, d)
		}
	}
	// A deadline in the past does not hide data that has arrived.
	e.send(c, "x", none)
	e.wait(s, network.Readable)
	if got, err := s.Wait(network.Readable, time.Unix(1, 0)); got != network.Readable ||
		err != nil {
		e.Errorf("got %04b, %v; want Readable", got, err)
	}
	e.recv(s, make([]byte, 1))
	// The deadline does not outlast its call.
	done := make(chan error, 1)
	go func() { _, err := s.Wait(network.Readable, time.Time{}); done <- err }()
	e.send(c, "x", none)
	e.check(<-done)
}

func testWaitBoth(e env) {
	const both = network.Readable | network.Writable
	c, s := e.pair()
	if got, err := s.Wait(both, soon()); got != network.Writable || err != nil {
		e.Errorf("got %04b, %v; want Writable", got, err)
	}
	e.fill(s)
	_, err := s.Wait(both, afterMoment())
	e.wantDeadline("wait", err)
	go c.Send(one([]byte("x")), none)
	if got, err := s.Wait(both, soon()); got != network.Readable || err != nil {
		e.Errorf("got %04b, %v; want Readable", got, err)
	}
	e.recv(s, make([]byte, 1))
	var drain sync.WaitGroup
	defer drain.Wait()
	defer s.Close()
	drain.Go(func() {
		b := one(make([]byte, 1<<16))
		for {
			r, err := c.Recv(b, 0)
			if err == syscall.EAGAIN {
				_, err = c.Wait(network.Readable, soon())
			} else if r.N == 0 {
				return
			}
			if err != nil {
				return
			}
		}
	})
	if got, err := s.Wait(both, soon()); got != network.Writable || err != nil {
		e.Errorf("got %04b, %v; want Writable", got, err)
	}
}

// testWaitsTogether has several calls wait in one direction, each with its own deadline.
func testWaitsTogether(e env) {
	c, s := e.pair()
	first := make(chan error, 1)
	go func() { _, err := s.Wait(network.Readable, soon()); first <- err }()
	_, err := s.Wait(network.Readable, afterMoment())
	e.wantDeadline("wait with an early deadline", err)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := s.Wait(network.Readable, soon()); err != nil {
				e.Error(err)
			}
		})
	}
	e.send(c, "x", none)
	e.check(<-first)
	all.Wait()
}

func testCloseWakes(e env) {
	const both = network.Readable | network.Writable
	for _, deadline := range []time.Time{{}, time.Now().Add(time.Hour)} {
		for _, waiters := range []int{1, 4} {
			// The writable side of a listener never becomes ready either.
			s, _ := e.listen()
			results := make(chan error)
			for range waiters {
				go func() { _, err := s.Wait(network.Readable, deadline); results <- err }()
				go func() { _, err := s.Wait(network.Writable, deadline); results <- err }()
				go func() { _, err := s.Wait(both, deadline); results <- err }()
			}
			// Either order must work. The pause makes both happen.
			time.Sleep(time.Millisecond)
			e.check(s.Close())
			for range 3 * waiters {
				select {
				case err := <-results:
					e.wantErr("wait", err, net.ErrClosed)
				case <-time.After(testTimeout):
					e.Fatal("got a wait that blocks after Close, want net.ErrClosed")
				}
			}
		}
	}
}

// testCloseDuringCalls closes sockets at any moment of a wait and a receive, while others open.
func testCloseDuringCalls(e env) {
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 20 {
				s := e.open(network.Stream)
				e.check(s.Bind(e.at))
				e.check(s.Listen(1))
				var users sync.WaitGroup
				users.Go(func() {
					_, err := s.Wait(network.Readable, time.Now().Add(time.Hour))
					e.wantErr("wait", err, net.ErrClosed)
				})
				users.Go(func() {
					for {
						if _, _, err := s.Accept(); err == net.ErrClosed {
							return
						}
					}
				})
				time.Sleep(time.Duration(i%2*i) * time.Microsecond)
				e.check(s.Close())
				users.Wait()
			}
		})
	}
	all.Wait()
}

// testNotify tests the way of waiting of a socket without a descriptor of the operating system.
func testNotify(e env) {
	c, s := e.pair()
	way := s.Readiness()
	if way.Notify == nil {
		if way.Control == nil {
			e.Fatal("got neither Control nor Notify, want one of them")
		}
		e.Skip("the sockets have descriptors of the operating system")
	}
	wakes := make(chan struct{}, 1)
	wake := func() {
		select {
		case wakes <- struct{}{}:
		default:
		}
	}
	expect := func(what string) {
		e.Helper()
		select {
		case <-wakes:
		case <-time.After(testTimeout):
			e.Fatalf("%s: got no call of wake, want one", what)
		}
	}
	way.Notify(network.Writable, wake)()
	expect("an event that holds already")
	for len(wakes) > 0 {
		<-wakes
	}
	stop := way.Notify(network.Readable, wake)
	e.send(c, "x", none)
	expect("data")
	stop()
	stop() // does no harm
	e.recv(s, make([]byte, 1))
	defer way.Notify(network.Readable, wake)()
	e.check(c.Shutdown(network.ShutWrite))
	expect("the end of the stream")
	l, _ := e.listen()
	stop = l.Readiness().Notify(network.Readable, wake)
	e.check(l.Close())
	expect("close")
	stop()
	l.Readiness().Notify(network.Readable, wake)()
	expect("a closed socket")
}

// set waits for descriptors as the guests' poll_oneoff does.
type set struct {
	env
	*poll.Set
}

func newSet(e env) set {
	s, err := poll.New()
	e.check(err)
	e.Cleanup(func() { s.Close() })
	return set{e, s}
}

// expect waits until the events of the items hold, and 0 for those that are not ready.
func (s set) expect(what string, items []poll.Item, changed bool, want ...network.Events) {
	s.Helper()
	for end := soon(); ; changed = false {
		ready, err := s.Set.Wait(items, changed, end)
		s.check(err)
		got := make([]network.Events, len(items))
		for _, i := range ready {
			got[i] = items[i].Got
			s.check(items[i].Err)
		}
		same := true
		for i := range want {
			same = same && (got[i] == want[i] || s.lacks(StateEvents) && got[i]&want[i] == want[i])
		}
		if same {
			return
		}
		if time.Now().After(end) {
			s.Fatalf("%s: got events %04b, want %04b", what, got, want)
		}
	}
}

func testPollSet(e env) {
	s := newSet(e)
	c, p := e.pair()
	l, addr := e.listen()
	items := []poll.Item{
		{P: p, Want: network.Readable},
		{P: l, Want: network.Readable},
		{P: c, Want: network.Writable},
	}
	s.expect("writable", items, true, 0, 0, network.Writable)
	items = items[:2]
	if ready, err := s.Set.Wait(items, true, afterMoment()); len(ready) != 0 || err != nil {
		e.Errorf("got %v, %v; want nothing ready", ready, err)
	}
	e.send(c, "x", none)
	s.expect("data", items, false, network.Readable, 0)
	s.expect("data, again", items, false, network.Readable, 0)
	e.connect(e.open(network.Stream), addr)
	s.expect("data and a client", items, false, network.Readable, network.Readable)
	e.recv(p, make([]byte, 1))
	e.accept(l)
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.send(c, "y", none)
	}()
	s.expect("data later", items, false, network.Readable, 0)
	<-done
	// A set sees the change of a socket that connects after it was first waited for.
	late := e.open(network.Stream)
	items = []poll.Item{{P: late, Want: network.Readable}}
	if e.poll(late, network.Readable) == network.Hangup {
		s.expect("unconnected", items, true, network.Hangup)
	}
	e.connect(late, addr)
	a, _ := e.accept(l)
	e.send(a, "z", none)
	s.expect("connected since", items, true, network.Readable)
}

// testPollSetFailures waits for no event at all, which tells of failures alone.
func testPollSetFailures(e env) {
	if e.lacks(LingerReset) || e.lacks(StateEvents) {
		e.Skip("this takes a reset that Poll reports")
	}
	s := newSet(e)
	c, p := e.pair()
	items := []poll.Item{{P: p}}
	if ready, err := s.Set.Wait(items, true, afterMoment()); len(ready) != 0 || err != nil {
		e.Errorf("got %v, %v; want nothing ready", ready, err)
	}
	go func() {
		c.SetOption(network.Linger, 0)
		c.Close()
	}()
	s.expect("a reset", items, false, network.Failed|network.Hangup)
}
