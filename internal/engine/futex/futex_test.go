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

// sleeper is a Sleeper that signals when it sleeps, and that the test can end.
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

// notifiedSleeper is a Sleeper that is notified and then times out.
type notifiedSleeper struct{ notify func() }

func (s notifiedSleeper) Sleep(<-chan struct{}, time.Duration) error {
	s.notify()
	return syscall.ETIMEDOUT
}

// newMemory is aligned to 8 bytes, as memories of guests are. Bytes on a stack need not be.
func newMemory() []byte {
	words := make([]uint64, 8)
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), 64)
}

func TestOperandsOutOfBoundsOrUnaligned(t *testing.T) {
	var table Table
	mem := newMemory()
	w, s := new(Waiter), newSleeper()
	for _, test := range []struct {
		at           uint64
		err32, err64 error
	}{
		{0, nil, nil}, {8, nil, nil}, {56, nil, nil},
		{4, nil, ErrUnaligned}, {60, nil, ErrBounds}, // The bounds are checked first.
		{1, ErrUnaligned, ErrUnaligned}, {2, ErrUnaligned, ErrUnaligned},
		{57, ErrUnaligned, ErrBounds},
		{61, ErrBounds, ErrBounds}, {64, ErrBounds, ErrBounds}, {65, ErrBounds, ErrBounds},
		{1 << 32, ErrBounds, ErrBounds}, {2*math.MaxUint32 - 1, ErrBounds, ErrBounds},
		{math.MaxUint64 - 3, ErrBounds, ErrBounds},
	} {
		if _, err := table.Wait32(w, s, mem, test.at, 1, -1); err != test.err32 {
			t.Errorf("wait32 at %#x: got %v, want %v", test.at, err, test.err32)
		}
		if _, err := table.Wait64(w, s, mem, test.at, 1, -1); err != test.err64 {
			t.Errorf("wait64 at %#x: got %v, want %v", test.at, err, test.err64)
		}
		if n, err := table.Notify(mem, test.at, math.MaxUint32); n != 0 || err != test.err32 {
			t.Errorf("notify at %#x: got %d, %v; want 0, %v", test.at, n, err, test.err32)
		}
	}
	if _, err := table.Notify(nil, 0, 1); err != ErrBounds {
		t.Errorf("notify without a memory: got %v, want %v", err, ErrBounds)
	}
}

func TestWaitComparesMemory(t *testing.T) {
	var table Table
	mem := newMemory()
	w, s := new(Waiter), newSleeper()
	binary.LittleEndian.PutUint64(mem[8:], 0x1122334455667788)
	for _, test := range []struct {
		name     string
		bits     int
		addr     uint64
		expected uint64
		want     Result
	}{
		{"32 bits, equal", 32, 8, 0x55667788, TimedOut},
		{"32 bits, equal to the upper half", 32, 12, 0x11223344, TimedOut},
		{"32 bits, different", 32, 8, 0x88776655, NotEqual},
		{"64 bits, equal", 64, 8, 0x1122334455667788, TimedOut},
		{"64 bits, different upper half", 64, 8, 0x55667788, NotEqual},
	} {
		t.Run(test.name, func(t *testing.T) {
			var r Result
			var err error
			if test.bits == 32 {
				r, err = table.Wait32(w, s, mem, test.addr, uint32(test.expected), 0)
			} else {
				r, err = table.Wait64(w, s, mem, test.addr, test.expected, 0)
			}
			if r != test.want || err != nil {
				t.Errorf("got %d, %v; want %d", r, err, test.want)
			}
		})
	}
	if len(table.queues) != 0 {
		t.Errorf("got queues %v, want none", table.queues)
	}
}

// waiters are threads that wait at one address, queued one after the other.
type waiters struct {
	sleepers []*sleeper
	results  []chan error
	woken    atomic.Int32
}

func newWaiters(table *Table, mem []byte, at uint64, count int) *waiters {
	c := &waiters{}
	for i := range count {
		s, done := newSleeper(), make(chan error, 1)
		c.sleepers, c.results = append(c.sleepers, s), append(c.results, done)
		go func() {
			wait := func() (Result, error) { return table.Wait32(new(Waiter), s, mem, at, 0, -1) }
			if i%2 == 1 && at%8 == 0 {
				wait = func() (Result, error) {
					return table.Wait64(new(Waiter), s, mem, at, 0, -1)
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

func TestNotifyWakesInOrder(t *testing.T) {
	var table Table
	mem := newMemory()
	notify := func(at uint64, count, want uint32) {
		t.Helper()
		if n, err := table.Notify(mem, at, count); n != want || err != nil {
			t.Errorf("Notify: got %d woken, %v; want %d", n, err, want)
		}
	}
	notify(16, 5, 0)
	here, there := newWaiters(&table, mem, 16, 6), newWaiters(&table, mem, 20, 1)
	notify(16, 0, 0)
	notify(24, 5, 0)

	notify(16, 2, 2) // The first two, and no other.
	for _, i := range []int{0, 1} {
		if err := <-here.results[i]; err != nil {
			t.Errorf("waiter %d: got %v, want no error", i, err)
		}
	}
	close(here.sleepers[3].end) // It is in the middle of the queue.
	if err := <-here.results[3]; err != errEnd {
		t.Errorf("waiter 3: got %v, want %v", err, errEnd)
	}
	if n := here.woken.Load(); n != 3 {
		t.Errorf("got %d waiters woken, want 3", n)
	}
	notify(16, 1, 1)
	<-here.results[2]
	notify(16, math.MaxUint32, 2)
	<-here.results[4]
	<-here.results[5]
	notify(16, 1, 0)
	if n := there.woken.Load(); n != 0 {
		t.Errorf("got %d waiters woken at the other address, want 0", n)
	}
	notify(20, 1, 1)
	<-there.results[0]
	if len(table.queues) != 0 {
		t.Errorf("got queues %v, want none", table.queues)
	}
}

// TestNotifyDuringTimeout notifies a thread while its timeout ends. Notify has counted the thread,
// so that the wait must return Woken; else the wake-up would be lost.
func TestNotifyDuringTimeout(t *testing.T) {
	var table Table
	mem := newMemory()
	w := new(Waiter)
	for range 3 {
		r, err := table.Wait32(w, notifiedSleeper{func() {
			if n, err := table.Notify(mem, 0, 1); n != 1 || err != nil {
				t.Errorf("Notify: got %d, %v; want 1", n, err)
			}
		}}, mem, 0, 0, 1)
		if r != Woken || err != nil {
			t.Errorf("wait: got %d, %v; want %d", r, err, Woken)
		}
	}
	if r, err := table.Wait32(w, newSleeper(), mem, 0, 0, 1); r != TimedOut || err != nil {
		t.Errorf("next wait: got %d, %v; want %d", r, err, TimedOut)
	}
}

// TestMutexOfManyThreads implements a lock with three states, as libraries do: free, held, and held
// with waiters (Drepper, "Futexes Are Tricky").
func TestMutexOfManyThreads(t *testing.T) {
	const threads, rounds = 8, 2000
	var table Table
	mem := newMemory()
	lock := (*uint32)(unsafe.Pointer(&mem[0]))
	var count int
	var running sync.WaitGroup
	for range threads {
		running.Go(func() {
			w, s := new(Waiter), newSleeper()
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
		t.Errorf("got a count of %d, want %d", count, threads*rounds)
	}
}

func TestWaitDoesNotAllocate(t *testing.T) {
	var table Table
	mem := newMemory()
	w := new(Waiter)
	s := notifiedSleeper{func() { table.Notify(mem, 0, 1) }}
	if n := testing.AllocsPerRun(100, func() { table.Wait32(w, s, mem, 0, 0, -1) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

// FuzzOperands passes addresses that a guest can pass: the sum of two numbers of 32 bits.
func FuzzOperands(f *testing.F) {
	f.Add(uint32(0), uint32(0), uint16(64))
	f.Add(uint32(math.MaxUint32), uint32(math.MaxUint32), uint16(64))
	f.Add(uint32(60), uint32(4), uint16(64))
	f.Add(uint32(0), uint32(0), uint16(0))
	f.Fuzz(func(t *testing.T, address, offset uint32, size uint16) {
		var table Table
		mem := make([]byte, int(size)&^7)
		at := uint64(address) + uint64(offset)
		w, s := new(Waiter), newSleeper()
		inside := func(n uint64) bool { return at%n == 0 && at+n <= uint64(len(mem)) }
		if r, err := table.Wait32(w, s, mem, at, 0, 0); inside(4) != (err == nil) || err == nil &&
			r != TimedOut {
			t.Errorf("wait32 at %#x: got %d, %v; want TimedOut inside of %d bytes", at, r, err,
				len(mem))
		}
		if r, err := table.Wait64(w, s, mem, at, 1, 0); inside(8) != (err == nil) || err == nil &&
			r != NotEqual {
			t.Errorf("wait64 at %#x: got %d, %v; want NotEqual inside of %d bytes", at, r, err,
				len(mem))
		}
		if n, err := table.Notify(mem, at, 1); inside(4) != (err == nil) || n != 0 {
			t.Errorf("notify at %#x: got %d, %v; want 0 inside of %d bytes", at, n, err, len(mem))
		}
	})
}
