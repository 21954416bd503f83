package system

import (
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// pollTest is a thread that polls as a guest does by poll_oneoff.
type pollTest struct {
	*Thread
	t         *testing.T
	scheduler *sched.Scheduler
	last      []Subscription
}

func newPollTest(t *testing.T, n network.Network) *pollTest {
	t.Helper()
	p := &pollTest{t: t}
	p.Thread, p.scheduler = scheduledThread(t, Config{Network: n})
	return p
}

// open makes a socket, and a function that makes it readable.
func (p *pollTest) open() (fd int32, fill func()) {
	fd, at := boundDatagrams(p.t, p.Thread)
	return fd, func() {
		p.t.Helper()
		if _, err := p.Send(fd, buf([]byte("x")), at, 0); err != nil {
			p.t.Fatal(err)
		}
	}
}

// TestPollLooksUpAgain polls twice, and marks the kept item in between.
func TestPollLooksUpAgain(t *testing.T) {
	for name, without := range map[string][]string{"kept": {}, "looked up": {"kept-polls"}} {
		p := &pollTest{t: t}
		p.Thread, p.scheduler = scheduledThread(t, Config{Network: kernel.New(kernel.Config{}),
			Without: without})
		fd, _ := p.open()
		p.poll(subscribe(fd))
		p.polling.items[0].Want = network.Writable
		p.poll(subscribe(fd))
		if kept := p.polling.items[0].Want == network.Writable; kept != (name == "kept") {
			t.Errorf("%s: got kept %v", name, kept)
		}
	}
}

// subscribe makes subscriptions to read the descriptors.
func subscribe(fds ...int32) (in []Subscription) {
	for _, fd := range fds {
		in = append(in, Subscription{Kind: Reading, FD: fd, CountBytes: true})
	}
	return in
}

// poll polls without waiting, and returns the positions of the events without an error, and of
// those with EBADF.
func (p *pollTest) poll(in []Subscription) (ready, bad []int) {
	p.t.Helper()
	in = append(slices.Clone(in), Subscription{Kind: Timer, Clock: wasi.ClockMonotonic})
	for i := range in {
		in[i].Same = i < len(p.last) && p.last[i] == in[i]
	}
	events, err := p.Poll(in, false)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, e := range events {
		switch {
		case in[e.Index].Kind == Timer:
		case e.Err == syscall.EBADF:
			bad = append(bad, e.Index)
		case e.Err != nil:
			p.t.Errorf("subscription %d: got %v, want no error", e.Index, e.Err)
		default:
			ready = append(ready, e.Index)
		}
	}
	slices.Sort(ready)
	slices.Sort(bad)
	for i := range in {
		in[i].Same = false
	}
	p.last = in
	return ready, bad
}

func (p *pollTest) want(what string, in []Subscription, ready, bad []int) {
	p.t.Helper()
	gotReady, gotBad := p.poll(in)
	if !slices.Equal(gotReady, ready) || !slices.Equal(gotBad, bad) {
		p.t.Errorf("%s: got %v ready and %v bad, want %v and %v", what, gotReady, gotBad, ready,
			bad)
	}
}

// waits returns a channel that has a value once the thread waits in a poll.
func (p *pollTest) waits() <-chan struct{} {
	p.t.Helper()
	set, err := p.pollSet()
	if err != nil {
		p.t.Fatal(err)
	}
	waits, onWait := make(chan struct{}, 1), set.OnWait
	set.OnWait = func(begins bool) {
		select {
		case waits <- struct{}{}:
		default:
		}
		onWait(begins)
	}
	return waits
}

// TestChangedSetPollsOtherSockets changes numbers and sockets between calls.
func TestChangedSetPollsOtherSockets(t *testing.T) {
	p := newPollTest(t, kernel.New(kernel.Config{}))
	a, fillA := p.open()
	b, fillB := p.open()
	c, fillC := p.open()
	fillB()
	p.want("one is ready", subscribe(a, b, c), []int{1}, nil)
	p.want("it is the first", subscribe(b, a, c), []int{0}, nil)
	p.want("it is there twice", subscribe(b, a, b, c), []int{0, 2}, nil)
	p.want("with another time", subscribe(b, a), []int{0}, nil)

	if err := p.CloseFD(b); err != nil {
		t.Fatal(err)
	}
	p.want("closed", subscribe(b, a), nil, []int{0})
	again, fill := p.open()
	if again != b {
		t.Fatalf("got number %d, want %d again", again, b)
	}
	p.want("another socket has the number", subscribe(b, a), nil, nil)
	fill()
	p.want("which becomes ready", subscribe(b, a), []int{0}, nil)

	fillC()
	if err := p.Renumber(c, b); err != nil {
		t.Fatal(err)
	}
	p.want("moved to the number", subscribe(b, a), []int{0}, nil)
	if _, err := p.Recv(b, buf(make([]byte, 8)), 0); err != nil {
		t.Fatal(err)
	}
	p.want("and read", subscribe(b, a), nil, nil)

	other, err := p.Dup(a, 0)
	if err != nil {
		t.Fatal(err)
	}
	fillA()
	p.want("two numbers of one socket", subscribe(b, a, other), []int{1, 2}, nil)
	if err := p.CloseFD(a); err != nil {
		t.Fatal(err)
	}
	p.want("one of them is closed", subscribe(b, a, other), []int{2}, []int{1})
}

// TestPollAfterReuseByOtherThread closes a socket and makes another while a thread waits for the
// first. The next call with the same subscriptions polls the other.
func TestPollAfterReuseByOtherThread(t *testing.T) {
	p := newPollTest(t, kernel.New(kernel.Config{}))
	quiet, _ := p.open()
	fd, _ := p.open()
	waits := p.waits()
	var at netip.AddrPort
	wait := another(p.Thread, p.scheduler, func(th *Thread) error {
		<-waits
		if err := th.CloseFD(fd); err != nil {
			return err
		}
		var again int32
		if again, at = boundDatagrams(t, th); again != fd {
			t.Errorf("got number %d, want %d again", again, fd)
		}
		return nil
	})
	in := subscribe(quiet, fd)
	events, err := p.Poll(in, false)
	if err != nil || len(events) != 1 || events[0].Index != 1 || events[0].Err != syscall.EBADF {
		t.Errorf("got %v, %v, want EBADF of the second", events, err)
	}
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Send(quiet, buf([]byte("x")), at, 0); err != nil {
		t.Fatal(err)
	}
	if events, err := p.Poll(in, true); err != nil || len(events) != 1 || events[0].Index != 1 ||
		events[0].Err != nil || events[0].Bytes != 1 {
		t.Errorf("got %v, %v, want a byte at the second", events, err)
	}
}

// TestPollCountsBytesOnDemand asks a socket with bytes for their number, or not.
func TestPollCountsBytesOnDemand(t *testing.T) {
	p := newPollTest(t, kernel.New(kernel.Config{}))
	fd, fill := p.open()
	fill()
	for _, test := range []struct {
		count bool
		want  uint64
	}{{true, 1}, {false, 0}} {
		in := subscribe(fd)
		in[0].CountBytes = test.count
		events, err := p.Poll(in, false)
		if err != nil || len(events) != 1 || events[0].Bytes != test.want {
			t.Errorf("asked %t: got %v, %v, want %d bytes", test.count, events, err, test.want)
		}
	}
}

// TestPollAsksForRights gives up the right to poll between two polls for the same descriptors.
func TestPollAsksForRights(t *testing.T) {
	for _, unchanged := range []bool{false, true} {
		p := newPollTest(t, kernel.New(kernel.Config{}))
		fd, fill := p.open()
		fill()
		in := []Subscription{{Kind: Reading, FD: fd}, {Kind: Failing, FD: fd},
			{Kind: Timer, Clock: wasi.ClockMonotonic}}
		if events, err := p.Poll(in, false); err != nil || events[0].Err != nil {
			t.Fatalf("got %v, %v, want the socket readable", events, err)
		}
		if err := p.SetRights(fd, wasi.RightsSocket&^wasi.RightPollFdReadwrite, 0); err != nil {
			t.Fatal(err)
		}
		for i := range in {
			in[i].Same = true
		}
		events, err := p.Poll(in, unchanged)
		if err != nil || len(events) == 0 || events[0].Index != 0 ||
			events[0].Err != wasi.ENOTCAPABLE {
			t.Errorf("unchanged %v: got %v, %v, want ENOTCAPABLE for the first", unchanged, events,
				err)
		}
	}
}
