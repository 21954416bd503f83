package kernel_test

import (
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
)

func TestCallsAfterClose(t *testing.T) {
	eachFamily(t, func(t *testing.T, family network.Family, at netip.AddrPort) {
		s := open(t, family, network.Stream)
		check(t, s.Close())
		group := netip.MustParseAddr("224.0.0.251")
		calls := map[string]func() error{
			"close":      s.Close,
			"bind":       func() error { return s.Bind(at) },
			"listen":     func() error { return s.Listen(1) },
			"accept":     func() error { _, _, err := s.Accept(); return err },
			"connect":    func() error { return s.Connect(at) },
			"finish":     s.FinishConnect,
			"send":       func() error { _, err := s.Send(nil, none); return err },
			"recv":       func() error { _, err := s.Recv(nil, 0); return err },
			"shutdown":   func() error { return s.Shutdown(network.ShutBoth) },
			"local":      func() error { _, err := s.LocalAddr(); return err },
			"remote":     func() error { _, err := s.RemoteAddr(); return err },
			"option":     func() error { _, err := s.Option(network.KeepAlive); return err },
			"set option": func() error { return s.SetOption(network.KeepAlive, 1) },
			"join":       func() error { return s.Join(group, network.Interface{}) },
			"leave":      func() error { return s.Leave(group, network.Interface{}) },
			"wait":       func() error { _, err := s.Wait(0, time.Time{}); return err },
			"poll":       func() error { _, err := s.Poll(network.Readable); return err },
			"available":  func() error { _, err := s.Available(); return err },
			"control": func() error {
				return s.Readiness().Control(func(uintptr) {
					t.Error("got a call of f, want net.ErrClosed")
				})
			},
		}
		for name, call := range calls {
			t.Run(name, func(t *testing.T) { wantErr(t, name, call(), errClosed) })
		}
	})
}

// Close wakes every waiting call: one in each direction, and several in the same.
func TestCloseWakesWaits(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	eachFamily(t, func(t *testing.T, family network.Family, at netip.AddrPort) {
		const both = network.Readable | network.Writable
		for _, deadline := range []time.Time{{}, time.Now().Add(time.Hour)} {
			for _, waiters := range []int{1, 4} {
				s, _ := listen(t, family, at)
				// The listener's writable side never becomes ready either.
				results := make(chan error)
				for range waiters {
					go func() { _, err := s.Wait(network.Readable, deadline); results <- err }()
					go func() { _, err := s.Wait(network.Writable, deadline); results <- err }()
					go func() { _, err := s.Wait(both, deadline); results <- err }()
				}
				// Either order must work. The pause makes both happen.
				time.Sleep(time.Millisecond)
				check(t, s.Close())
				for range 3 * waiters {
					select {
					case err := <-results:
						wantErr(t, "wait", err, errClosed)
					case <-time.After(10 * time.Second):
						t.Fatal("got a wait that blocks after Close, want net.ErrClosed")
					}
				}
			}
		}
	})
}

func TestWaitDeadline(t *testing.T) {
	s, addr := bound(t, network.IPv4, netip.MustParseAddrPort("127.0.0.1:0"))
	for _, d := range []time.Duration{-time.Hour, 0, 20 * time.Millisecond} {
		start := time.Now()
		_, err := s.Wait(network.Readable, start.Add(d))
		wantErr(t, "wait", err, os.ErrDeadlineExceeded)
		if took := time.Since(start); took < d {
			t.Errorf("got a wait of %v, want at least %v", took, d)
		}
	}
	// A deadline in the past does not hide a datagram that has arrived.
	if _, err := s.Send(one([]byte("x")), addr); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Wait(network.Readable, time.Unix(1, 0)); got != network.Readable ||
		err != nil {
		t.Errorf("got %b, %v; want Readable", got, err)
	}
	// The deadline does not outlast its call.
	recv(t, s, make([]byte, 1))
	done := make(chan error, 1)
	go func() { _, err := s.Wait(network.Readable, time.Time{}); done <- err }()
	if _, err := s.Send(one([]byte("x")), addr); err != nil {
		t.Fatal(err)
	}
	check(t, <-done)
}

func TestWaitInBothDirections(t *testing.T) {
	const both = network.Readable | network.Writable
	c, s := pair(t, network.IPv4, netip.MustParseAddrPort("127.0.0.1:0"))
	if got, err := s.Wait(both, soon()); got != network.Writable || err != nil {
		t.Errorf("got %b, %v; want Writable", got, err)
	}
	full := one(make([]byte, 1<<16))
	for {
		if _, err := s.Send(full, none); err != nil {
			break
		}
	}
	for range 2 {
		_, err := s.Wait(both, time.Now().Add(10*time.Millisecond))
		wantErr(t, "wait", err, os.ErrDeadlineExceeded)
	}
	go c.Send(one([]byte("x")), none)
	if got, err := s.Wait(both, soon()); got != network.Readable || err != nil {
		t.Errorf("got %b, %v; want Readable", got, err)
	}
	recv(t, s, make([]byte, 1))
	go func() {
		for {
			if _, err := c.Wait(network.Readable, time.Now().Add(time.Second)); err != nil {
				return
			}
			c.Recv(full, 0)
		}
	}()
	if got, err := s.Wait(both, soon()); got != network.Writable || err != nil {
		t.Errorf("got %b, %v; want Writable", got, err)
	}
}

// Several calls wait in one direction, each with its own deadline.
func TestWaitsInSameDirection(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	s, addr := bound(t, network.IPv4, netip.MustParseAddrPort("127.0.0.1:0"))
	first := make(chan error, 1)
	go func() { _, err := s.Wait(network.Readable, soon()); first <- err }()
	_, err := s.Wait(network.Readable, time.Now().Add(20*time.Millisecond))
	wantErr(t, "wait with an early deadline", err, os.ErrDeadlineExceeded)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := s.Wait(network.Readable, soon()); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := s.Send(one([]byte("x")), addr); err != nil {
		t.Fatal(err)
	}
	check(t, <-first)
	all.Wait()
}

// Close comes at any moment of a wait, while other sockets reuse the descriptor numbers.
func TestCloseDuringWaitAndRecv(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	at := netip.MustParseAddrPort("127.0.0.1:0")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 60 {
				s := open(t, network.IPv4, network.Datagram)
				check(t, s.Bind(at))
				var users sync.WaitGroup
				users.Go(func() {
					for {
						if _, err := s.Wait(network.Readable,
							time.Now().Add(time.Hour)); err != nil {
							wantErr(t, "wait", err, errClosed)
							return
						}
					}
				})
				users.Go(func() {
					b := make([]byte, 8)
					for {
						if _, err := s.Recv(one(b), 0); err == errClosed {
							return
						}
					}
				})
				if i%2 == 0 {
					time.Sleep(time.Duration(i) * time.Microsecond)
				}
				check(t, s.Close())
				users.Wait()
			}
		})
	}
	all.Wait()
}
