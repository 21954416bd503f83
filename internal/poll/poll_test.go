package poll_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func soon() time.Time { return time.Now().Add(10 * time.Second) }

// set is a Set, of any kind.
type set interface {
	Wait(items []poll.Item, changed bool, deadline time.Time) ([]int, error)
	Wake()
	Close() error
}

// openSet makes a set of the kind that is tested.
var openSet = func() (set, error) { return poll.New() }

func newSet(t testing.TB) set {
	t.Helper()
	s, err := openSet()
	check(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// peer is a datagram socket with another one that sends to it.
type peer struct {
	network.Socket
	sender network.Socket
}

func newPeer(t testing.TB) peer {
	t.Helper()
	k := kernel.New(kernel.Config{})
	s, err := k.Open(network.IPv4, network.Datagram)
	check(t, err)
	check(t, s.Bind(netip.MustParseAddrPort("127.0.0.1:0")))
	addr, err := s.LocalAddr()
	check(t, err)
	c, err := k.Open(network.IPv4, network.Datagram)
	check(t, err)
	check(t, c.Connect(addr))
	t.Cleanup(func() { s.Close(); c.Close() })
	return peer{s, c}
}

func (p peer) fill(t testing.TB) {
	t.Helper()
	_, err := p.sender.Send([][]byte{[]byte("x")}, netip.AddrPort{})
	check(t, err)
}

func (p peer) empty(t testing.TB) {
	t.Helper()
	_, err := p.Socket.Recv([][]byte{make([]byte, 8)}, 0)
	check(t, err)
}

// expect calls Wait and compares the indexes.
func expect(t testing.TB, s set, items []poll.Item, changed bool, want ...int) {
	t.Helper()
	deadline := soon()
	if len(want) == 0 {
		deadline = time.Now().Add(2 * time.Millisecond)
	}
	ready, err := s.Wait(items, changed, deadline)
	check(t, err)
	seen := make(map[int]bool)
	for _, i := range ready {
		if seen[i] {
			t.Errorf("got item %d twice, want it once", i)
		}
		seen[i] = true
	}
	for _, i := range want {
		if !seen[i] {
			t.Fatalf("got ready items %v, want %v", ready, want)
		}
	}
	if len(ready) != len(want) {
		t.Fatalf("got ready items %v, want %v", ready, want)
	}
}

func TestWaitReturnsReadyItems(t *testing.T) {
	s := newSet(t)
	a, b := newPeer(t), newPeer(t)
	items := []poll.Item{{P: a.Socket, Want: network.Readable},
		{P: b.Socket, Want: network.Readable}}
	expect(t, s, items, true)
	b.fill(t)
	expect(t, s, items, false, 1)
	if items[1].Got != network.Readable || items[1].Err != nil {
		t.Errorf("got %+v, want Readable", items[1])
	}
	expect(t, s, items, false, 1)
	a.fill(t)
	expect(t, s, items, false, 0, 1)
	b.empty(t)
	expect(t, s, items, false, 0)

	items[0].Want = network.Writable
	expect(t, s, items, true, 0)
	if items[0].Got != network.Writable {
		t.Errorf("got %+v, want Writable", items[0])
	}
	items[0].Want = network.Readable | network.Writable
	expect(t, s, items, true, 0)
	if items[0].Got != network.Readable|network.Writable {
		t.Errorf("got %+v, want Readable and Writable", items[0])
	}
	items[0].Want = 0
	expect(t, s, items, true)

	items = []poll.Item{{P: b.Socket, Want: network.Readable},
		{P: newPeer(t).Socket, Want: network.Readable}, {P: a.Socket, Want: network.Readable}}
	expect(t, s, items, true, 2)
	expect(t, s, items[:1], true)
	expect(t, s, nil, true)
	expect(t, s, items, true, 2)
}

func TestItemsOfOnePollable(t *testing.T) {
	s := newSet(t)
	a, b := newPeer(t), newPeer(t)
	items := []poll.Item{
		{P: a.Socket, Want: network.Readable},
		{P: b.Socket, Want: network.Readable},
		{P: a.Socket, Want: network.Writable},
		{P: a.Socket, Want: network.Readable},
	}
	expect(t, s, items, true, 2)
	a.fill(t)
	expect(t, s, items, false, 0, 2, 3)
	if items[0].Got != network.Readable || items[2].Got != network.Writable ||
		items[3].Got != network.Readable {
		t.Errorf("got %+v, want Readable, nothing, Writable, Readable", items)
	}
	items[2].Want = network.Readable
	a.empty(t)
	expect(t, s, items, true)
}

func TestWaitOnManySockets(t *testing.T) {
	s := newSet(t)
	peers := make([]peer, 500)
	items := make([]poll.Item, len(peers))
	for i := range peers {
		peers[i] = newPeer(t)
		items[i] = poll.Item{P: peers[i].Socket, Want: network.Readable}
	}
	expect(t, s, items, true)
	for _, i := range []int{0, 499, 250} {
		done := make(chan struct{})
		go func() { peers[i].fill(t); close(done) }()
		expect(t, s, items, false, i)
		<-done
		peers[i].empty(t)
	}
	all := make([]int, len(peers))
	for i := range peers {
		peers[i].fill(t)
		all[i] = i
	}
	expect(t, s, items, false, all...)
}

func TestEventsOfFailure(t *testing.T) {
	k := kernel.New(kernel.Config{})
	unused, err := net.Listen("tcp4", "127.0.0.1:0")
	check(t, err)
	unused.Close()
	refused, err := k.Open(network.IPv4, network.Stream)
	check(t, err)
	defer refused.Close()
	err = refused.Connect(netip.MustParseAddrPort(unused.Addr().String()))
	if err != syscall.EINPROGRESS {
		t.Fatalf("connect: got %v, want %v", err, syscall.EINPROGRESS)
	}
	s := newSet(t)
	items := []poll.Item{{P: refused, Want: network.Writable}}
	expect(t, s, items, true, 0)
	if items[0].Got&network.Failed == 0 {
		t.Errorf("got events %b, want Failed among them", items[0].Got)
	}
}

func TestWakeEndsWait(t *testing.T) {
	s := newSet(t)
	items := []poll.Item{{P: newPeer(t).Socket, Want: network.Readable}}
	none := func(changed bool) {
		t.Helper()
		if ready, err := s.Wait(items, changed, soon()); len(ready) != 0 || err != nil {
			t.Errorf("got %v, %v; want no ready item after Wake", ready, err)
		}
	}
	s.Wake()
	s.Wake()
	start := time.Now()
	none(true)
	for range 100 {
		done := make(chan struct{})
		go func() { s.Wake(); close(done) }()
		none(false)
		<-done
	}
	if time.Since(start) > 5*time.Second {
		t.Error("got a wait until the deadline, want Wake to end it")
	}
	expect(t, s, items, false) // no wake is left over
}

// No call of Wake is lost, at any moment of Wait.
func TestWakeNotLost(t *testing.T) {
	s := newSet(t)
	var asked, seen sync.WaitGroup
	const times = 2000
	wakes := make(chan struct{})
	asked.Go(func() {
		for range times {
			s.Wake()
			<-wakes
		}
	})
	seen.Go(func() {
		for range times {
			if ready, err := s.Wait(nil, false, time.Time{}); len(ready) != 0 || err != nil {
				t.Errorf("got %v, %v; want no ready item", ready, err)
			}
			wakes <- struct{}{}
		}
	})
	asked.Wait()
	seen.Wait()
}

func TestWaitDeadline(t *testing.T) {
	s := newSet(t)
	a := newPeer(t)
	items := []poll.Item{{P: a.Socket, Want: network.Readable}}
	for _, d := range []time.Duration{-time.Hour, 0, 20 * time.Millisecond} {
		start := time.Now()
		ready, err := s.Wait(items, true, start.Add(d))
		if took := time.Since(start); len(ready) != 0 || err != nil || took < d ||
			took > d+5*time.Second && d >= 0 {
			t.Errorf("%v: got %v, %v after %v; want no ready item at the deadline",
				d, ready, err, took)
		}
	}
	a.fill(t)
	if ready, err := s.Wait(items, false, time.Unix(1, 0)); len(ready) != 1 || err != nil {
		t.Errorf("after the deadline: got %v, %v; want one ready item", ready, err)
	}
	a.empty(t)
	// The deadline does not outlast its call.
	go func() {
		time.Sleep(10 * time.Millisecond)
		a.sender.Send([][]byte{[]byte("x")},
			netip.AddrPort{})
	}()
	if ready, err := s.Wait(items, false, time.Time{}); len(ready) != 1 || err != nil {
		t.Errorf("got %v, %v; want one ready item", ready, err)
	}
}

func TestCloseEndsWait(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	for range 50 {
		s, err := openSet()
		check(t, err)
		done := make(chan error)
		go func() { _, err := s.Wait(nil, true, time.Time{}); done <- err }()
		runtime.Gosched()
		check(t, s.Close())
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("wait: got %v, want %v", err, net.ErrClosed)
		}
		if err := s.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("close again: got %v, want %v", err, net.ErrClosed)
		}
		if _, err := s.Wait(nil, true, time.Time{}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("wait after close: got %v, want %v", err, net.ErrClosed)
		}
		s.Wake()
	}
}

func TestClosedPollable(t *testing.T) {
	s := newSet(t)
	a, b := newPeer(t), newPeer(t)
	items := []poll.Item{{P: a.Socket, Want: network.Readable},
		{P: b.Socket, Want: network.Readable}}
	expect(t, s, items, true)
	check(t, a.Socket.Close())
	expect(t, s, items, true, 0)
	if !errors.Is(items[0].Err, net.ErrClosed) || items[0].Got != 0 {
		t.Errorf("got %+v, want %v", items[0], net.ErrClosed)
	}
	expect(t, s, items, false, 0)
	b.fill(t)
	expect(t, s, items, false, 0, 1)

	// Another socket gets the descriptor number.
	c := newPeer(t)
	items[0].P = c.Socket
	b.empty(t)
	expect(t, s, items, true)
	c.fill(t)
	expect(t, s, items, false, 0)

	// The number moves on while its former socket is still among the items.
	check(t, c.Socket.Close())
	d := newPeer(t)
	items = append(items, poll.Item{P: d.Socket, Want: network.Readable})
	d.fill(t)
	expect(t, s, items, true, 0, 2)
	if !errors.Is(items[0].Err, net.ErrClosed) || items[2].Got != network.Readable {
		t.Errorf("got %+v, want %v and then Readable", items, net.ErrClosed)
	}
}

// epoll(7) goes on reporting a closed descriptor while its socket has another one.
func TestClosedDescriptorOfLiveSocket(t *testing.T) {
	s := newSet(t)
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	check(t, err)
	defer c.Close()
	adopted, err := kernel.Adopt(c)
	check(t, err)
	b := newPeer(t)
	items := []poll.Item{{P: b.Socket, Want: network.Readable},
		{P: adopted, Want: network.Readable}}
	expect(t, s, items, true)
	_, err = c.WriteTo([]byte("x"), c.LocalAddr())
	check(t, err)
	expect(t, s, items, false, 1)
	check(t, adopted.Close())
	items = items[:1]
	expect(t, s, items, true)
	b.fill(t)
	expect(t, s, items, false, 0)
	b.empty(t)

	// Another Pollable gets the same socket and the same number.
	again, err := kernel.Adopt(c)
	check(t, err)
	defer again.Close()
	items = append(items, poll.Item{P: again, Want: network.Readable})
	expect(t, s, items, true, 1)
	expect(t, s, items, false, 1)
}

// view is another Pollable with the same handle.
type view struct{ network.Pollable }

func TestPollablesWithOneHandle(t *testing.T) {
	s := newSet(t)
	a := newPeer(t)
	items := []poll.Item{{P: a.Socket, Want: network.Readable},
		{P: &view{a.Socket}, Want: network.Readable}}
	expect(t, s, items, true)
	a.fill(t)
	expect(t, s, items, false, 0, 1)
	items[0], items[1] = items[1], items[0]
	expect(t, s, items, true, 0, 1)
	expect(t, s, items[1:], true, 0)
	a.empty(t)
	expect(t, s, items, true)
	check(t, a.Socket.Close())
	expect(t, s, items, true, 0, 1)
}

// file is a regular file.
type file struct{ *os.File }

func (f file) Poll(want network.Events) (network.Events, error) { return want, nil }
func (f file) Available() (int, error)                          { return 0, nil }
func (f file) Readiness() network.Readiness {
	return network.Readiness{Control: func(g func(uintptr)) error {
		c, err := f.SyscallConn()
		if err != nil {
			return err
		}
		return c.Control(g)
	}}
}

func TestAlwaysReadyBesideSocket(t *testing.T) {
	s := newSet(t)
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	check(t, err)
	defer f.Close()
	a := newPeer(t)
	items := []poll.Item{
		{P: a.Socket, Want: network.Readable},
		{P: &file{f}, Want: network.Readable},
		{P: &event{now: network.Readable}, Want: network.Writable},
	}
	expect(t, s, items, true, 1, 2)
	a.fill(t)
	expect(t, s, items, false, 0, 1, 2)
	if items[1].Got != network.Readable || items[2].Got != network.Writable {
		t.Errorf("got %+v, want Readable and then Writable", items)
	}
}

// event is a Pollable without a handle. Unless notifies is set, it counts as always ready.
type event struct {
	mu       sync.Mutex
	notifies bool
	now      network.Events
	err      error
	wakes    map[int]func()
	n        int
}

func (e *event) set(now network.Events, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now, e.err = now, err
	for _, wake := range e.wakes {
		wake()
	}
}

func (e *event) Poll(want network.Events) (network.Events, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now & want, e.err
}

func (e *event) Available() (int, error) { return 0, nil }

func (e *event) Readiness() network.Readiness {
	if !e.notifies {
		return network.Readiness{}
	}
	return network.Readiness{Notify: func(want network.Events, wake func()) func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.wakes == nil {
			e.wakes = make(map[int]func())
		}
		e.n++
		n := e.n
		e.wakes[n] = wake
		if e.now&want != 0 {
			wake()
		}
		return func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			delete(e.wakes, n)
		}
	}}
}

func (e *event) watchers() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.wakes)
}

func TestNotifyOfPollableWithoutHandle(t *testing.T) {
	s := newSet(t)
	a, e := newPeer(t), &event{notifies: true}
	items := []poll.Item{{P: a.Socket, Want: network.Readable}, {P: e, Want: network.Readable},
		{P: e, Want: network.Writable}}
	expect(t, s, items, true)
	for range 100 {
		go e.set(network.Readable, nil)
		expect(t, s, items, false, 1)
		expect(t, s, items, false, 1)
		e.set(0, nil)
		expect(t, s, items, false)
		go e.set(network.Writable, nil)
		expect(t, s, items, false, 2)
		e.set(0, nil)
	}
	a.fill(t)
	expect(t, s, items, false, 0)
	go e.set(0, net.ErrClosed)
	a.empty(t)
	expect(t, s, items, false, 1, 2)
	if !errors.Is(items[1].Err, net.ErrClosed) {
		t.Errorf("got %+v, want %v", items[1], net.ErrClosed)
	}
	e.set(0, nil)
	expect(t, s, items, false)
	expect(t, s, items[:1], true)
	if n := e.watchers(); n != 0 {
		t.Errorf("got %d calls of Notify without stop, want none for items that were removed", n)
	}
	expect(t, s, items, true)
	check(t, s.Close())
	if n := e.watchers(); n != 0 {
		t.Errorf("got %d calls of Notify without stop, want none after close", n)
	}
}
