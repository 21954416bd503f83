package futex

import (
	"encoding/binary"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

var errEnd = errors.New("the end")

// sleeper says when it sleeps, and can be ended.
type sleeper struct {
	asleep chan struct{}
	end    chan struct{}
}

func newSleeper() *sleeper { return &sleeper{make(chan struct{}, 1), make(chan struct{})} }

func (s *sleeper) Sleep(woken <-chan struct{}, timeout time.Duration) error {
	select {
	case s.asleep <- struct{}{}:
	default:
	}
	var expired <-chan time.Time
	if timeout >= 0 {
		expired = time.After(timeout)
	}
	select {
	case <-woken:
		return nil
	case <-expired:
		return syscall.ETIMEDOUT
	case <-s.end:
		return errEnd
	}
}

// late is a sleeper whose time is over just when it is notified.
type late struct{ notify func() }

func (s late) Sleep(<-chan struct{}, time.Duration) error {
	s.notify()
	return syscall.ETIMEDOUT
}

// newMemory has its numbers where they are aligned.
func newMemory() []byte { return make([]byte, 64) }

func TestOperands(t *testing.T) {
	var table Table
	mem := newMemory()
	w, s := NewWaiter(), newSleeper()
	for _, test := range []struct {
		at           uint64
		err32, err64 error
	}{
		{0, nil, nil}, {8, nil, nil}, {56, nil, nil},
		{4, nil, ErrUnaligned}, {60, nil, ErrBounds}, // outside counts first
		{1, ErrUnaligned, ErrUnaligned}, {2, ErrUnaligned, ErrUnaligned},
		{57, ErrUnaligned, ErrBounds},
		{61, ErrBounds, ErrBounds}, {64, ErrBounds, ErrBounds}, {65, ErrBounds, ErrBounds},
		{1 << 32, ErrBounds, ErrBounds}, {2*math.MaxUint32 - 1, ErrBounds, ErrBounds},
		{math.MaxUint64 - 3, ErrBounds, ErrBounds},
	} {
		if _, err := table.Wait32(w, s, mem, test.at, 1, -1); err != test.err32 {
			t.Errorf("wait32 at %#x: %v", test.at, err)
		}
		if _, err := table.Wait64(w, s, mem, test.at, 1, -1); err != test.err64 {
			t.Errorf("wait64 at %#x: %v", test.at, err)
		}
		if n, err := table.Notify(mem, test.at, math.MaxUint32); n != 0 || err != test.err32 {
			t.Errorf("notify at %#x: %d, %v", test.at, n, err)
		}
	}
	if _, err := table.Notify(nil, 0, 1); err != ErrBounds {
		t.Errorf("notify without a memory: %v", err)
	}
}

func TestCompare(t *testing.T) {
	var table Table
	mem := newMemory()
	w, s := NewWaiter(), newSleeper()
	binary.LittleEndian.PutUint64(mem[8:], 0x1122334455667788)
	for _, test := range []struct {
		name string
		got  func() (Result, error)
		want Result
	}{
		{"32, equal", func() (Result, error) { return table.Wait32(w, s, mem, 8, 0x55667788, 0) },
			TimedOut},
		{"32, upper half", func() (Result,
			error) {
			return table.Wait32(w, s, mem, 12, 0x11223344, 1)
		}, TimedOut},
		{"32, other", func() (Result, error) { return table.Wait32(w, s, mem, 8, 0x88776655, 0) },
			NotEqual},
		{"64, equal", func() (Result,
			error) {
			return table.Wait64(w, s, mem, 8, 0x1122334455667788, 0)
		}, TimedOut},
		{"64, other above", func() (Result,
			error) {
			return table.Wait64(w, s, mem, 8, 0x55667788, 0)
		}, NotEqual},
	} {
		if r, err := test.got(); r != test.want || err != nil {
			t.Errorf("%s: %d, %v", test.name, r, err)
		}
	}
	if len(table.queues) != 0 {
		t.Errorf("queues are left: %v", table.queues)
	}
}

// crowd lets waiters wait at an address, one behind the other.
type crowd struct {
	sleepers []*sleeper
	results  []chan error
	woken    atomic.Int32
}

func newCrowd(table *Table, mem []byte, at uint64, count int) *crowd {
	c := &crowd{}
	for i := range count {
		s, done := newSleeper(), make(chan error, 1)
		c.sleepers, c.results = append(c.sleepers, s), append(c.results, done)
		go func() {
			wait := func() (Result, error) { return table.Wait32(NewWaiter(), s, mem, at, 0, -1) }
			if i%2 == 1 && at%8 == 0 {
				wait = func() (Result,
					error) {
					return table.Wait64(NewWaiter(), s, mem, at, 0, -1)
				}
			}
			_, err := wait()
			c.woken.Add(1)
			done <- err
		}()
		<-s.asleep
	}
	return c
}

func TestNotify(t *testing.T) {
	var table Table
	mem := newMemory()
	notify := func(at uint64, count, want uint32) {
		t.Helper()
		if n, err := table.Notify(mem, at, count); n != want || err != nil {
			t.Errorf("%d woken, %v, not %d", n, err, want)
		}
	}
	notify(16, 5, 0)
	here, there := newCrowd(&table, mem, 16, 6), newCrowd(&table, mem, 20, 1)
	notify(16, 0, 0)
	notify(24, 5, 0)

	notify(16, 2, 2) // the first two, and no other
	for _, i := range []int{0, 1} {
		if err := <-here.results[i]; err != nil {
			t.Error(err)
		}
	}
	close(here.sleepers[3].end) // from the middle of the queue
	if err := <-here.results[3]; err != errEnd {
		t.Errorf("ended with %v", err)
	}
	if n := here.woken.Load(); n != 3 {
		t.Errorf("%d have come back, not 3", n)
	}
	notify(16, 1, 1)
	<-here.results[2]
	notify(16, math.MaxUint32, 2)
	<-here.results[4]
	<-here.results[5]
	notify(16, 1, 0)
	if n := there.woken.Load(); n != 0 {
		t.Error("the one at the other address woke up")
	}
	notify(20, 1, 1)
	<-there.results[0]
	if len(table.queues) != 0 {
		t.Errorf("queues are left: %v", table.queues)
	}
}

// TestNotifiedAtTheLastMoment counts a thread as woken while its time runs out: it must say so, or
// a wake-up would be lost.
func TestNotifiedAtTheLastMoment(t *testing.T) {
	var table Table
	mem := newMemory()
	w := NewWaiter()
	for range 3 {
		r, err := table.Wait32(w, late{func() {
			if n, err := table.Notify(mem, 0, 1); n != 1 || err != nil {
				t.Errorf("%d woken, %v", n, err)
			}
		}}, mem, 0, 0, 1)
		if r != Woken || err != nil {
			t.Errorf("result %d, %v", r, err)
		}
	}
	if r, err := table.Wait32(w, newSleeper(), mem, 0, 0, 1); r != TimedOut || err != nil {
		t.Errorf("a wake-up is left over: %d, %v", r, err)
	}
}

// TestMutex is a lock as libraries make it, with three states: free, held, and held while others
// wait.
func TestMutex(t *testing.T) {
	const threads, rounds = 8, 2000
	var table Table
	mem := newMemory()
	lock := (*uint32)(unsafe.Pointer(&mem[0]))
	var count int
	var running sync.WaitGroup
	for range threads {
		running.Go(func() {
			w, s := NewWaiter(), newSleeper()
			for range rounds {
				if !atomic.CompareAndSwapUint32(lock, 0, 1) {
					for atomic.SwapUint32(lock, 2) != 0 {
						if _, err := table.Wait32(w, s, mem, 0, 2, -1); err != nil {
							t.Error(err)
						}
					}
				}
				count++
				if atomic.SwapUint32(lock, 0) == 2 {
					if _, err := table.Notify(mem, 0, 1); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	running.Wait()
	if count != threads*rounds {
		t.Errorf("counted to %d", count)
	}
}

func TestNoAllocation(t *testing.T) {
	var table Table
	mem := newMemory()
	w := NewWaiter()
	s := late{func() { table.Notify(mem, 0, 1) }}
	if n := testing.AllocsPerRun(100, func() { table.Wait32(w, s, mem, 0, 0, -1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzOperands passes what a guest may pass: two numbers of 32 bits, whose sum is the address.
func FuzzOperands(f *testing.F) {
	f.Add(uint32(0), uint32(0), uint16(64))
	f.Add(uint32(math.MaxUint32), uint32(math.MaxUint32), uint16(64))
	f.Add(uint32(60), uint32(4), uint16(64))
	f.Add(uint32(0), uint32(0), uint16(0))
	f.Fuzz(func(t *testing.T, address, offset uint32, size uint16) {
		var table Table
		mem := make([]byte, int(size)&^7)
		at := uint64(address) + uint64(offset)
		w, s := NewWaiter(), newSleeper()
		inside := func(n uint64) bool { return at%n == 0 && at+n <= uint64(len(mem)) }
		if r, err := table.Wait32(w, s, mem, at, 0, 0); inside(4) != (err == nil) || err == nil &&
			r != TimedOut {
			t.Errorf("wait32: %d, %v", r, err)
		}
		if r, err := table.Wait64(w, s, mem, at, 1, 0); inside(8) != (err == nil) || err == nil &&
			r != NotEqual {
			t.Errorf("wait64: %d, %v", r, err)
		}
		if n, err := table.Notify(mem, at, 1); inside(4) != (err == nil) || n != 0 {
			t.Errorf("notify: %d, %v", n, err)
		}
	})
}
