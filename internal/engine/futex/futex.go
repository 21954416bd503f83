// Package futex is where the threads of a guest wait for each other: the atomic wait and notify of
// WebAssembly's threads.
//
// It compares, queues and wakes. How a thread sleeps, and what else ends its sleep, is for the one
// that sleeps to say; and whose threads and whose memory these are is not known here.
package futex

import (
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// The errors of operands for which WebAssembly wants a trap, in the words of wazero.
var (
	ErrBounds    = errors.New("out of bounds memory access")
	ErrUnaligned = errors.New("unaligned atomic")
)

// Result is what a wait returns to the guest.
// Source: WebAssembly threads proposal, section "Wait and Notify".
type Result uint32

const (
	Woken Result = iota
	NotEqual
	TimedOut
)

// Table holds the queues of one memory. The zero value has none.
type Table struct {
	mu     sync.Mutex
	queues map[uint64]queue // by address; none of them is empty
}

type queue struct{ head, tail *Waiter }

// Waiter is a thread's place in a queue, for one wait at a time.
type Waiter struct {
	woken      chan struct{}
	addr       uint64
	queued     bool
	next, prev *Waiter
}

// NewWaiter makes a place for a thread.
func NewWaiter() *Waiter { return &Waiter{woken: make(chan struct{}, 1)} }

// Sleeper is a thread that can sleep: until woken, or for so long, after which it returns
// ETIMEDOUT; a negative time is for ever. Whatever else ends the sleep is an error of its own.
type Sleeper interface {
	Sleep(woken <-chan struct{}, timeout time.Duration) error
}

// Wait32 lets a thread sleep until it is notified, if the number at an address of the memory is the
// expected one. The timeout is in ns; a negative one is for ever. Errors are ErrBounds,
// ErrUnaligned, and what ended the sleep.
func (t *Table) Wait32(w *Waiter, s Sleeper, mem []byte, addr uint64, expected uint32,
	timeout int64) (Result, error) {
	p, err := operandPointer(mem, addr, 4)
	if err != nil {
		return 0, err
	}
	t.mu.Lock()
	if load32((*uint32)(p)) != expected {
		t.mu.Unlock()
		return NotEqual, nil
	}
	t.enqueue(w, addr)
	t.mu.Unlock()
	return t.sleep(w, s, timeout)
}

// Wait64 is Wait32 for a number of 64 bits.
func (t *Table) Wait64(w *Waiter, s Sleeper, mem []byte, addr uint64, expected uint64,
	timeout int64) (Result, error) {
	p, err := operandPointer(mem, addr, 8)
	if err != nil {
		return 0, err
	}
	t.mu.Lock()
	if load64((*uint64)(p)) != expected {
		t.mu.Unlock()
		return NotEqual, nil
	}
	t.enqueue(w, addr)
	t.mu.Unlock()
	return t.sleep(w, s, timeout)
}

func (t *Table) sleep(w *Waiter, s Sleeper, timeout int64) (Result, error) {
	err := s.Sleep(w.woken, time.Duration(timeout))
	if err == nil {
		return Woken, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !w.queued { // someone has counted this thread as woken meanwhile
		<-w.woken
		if err == syscall.ETIMEDOUT {
			return Woken, nil
		}
		return 0, err
	}
	t.dequeue(w)
	if err == syscall.ETIMEDOUT {
		return TimedOut, nil
	}
	return 0, err
}

// Notify wakes up to count of the threads that wait at an address, in the order in which they came,
// and returns how many it were.
func (t *Table) Notify(mem []byte, addr uint64, count uint32) (uint32, error) {
	if _, err := operandPointer(mem, addr, 4); err != nil {
		return 0, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for n := range count {
		w := t.queues[addr].head
		if w == nil {
			return n, nil
		}
		t.dequeue(w)
		w.woken <- struct{}{}
	}
	return count, nil
}

func (t *Table) enqueue(w *Waiter, addr uint64) {
	if t.queues == nil {
		t.queues = make(map[uint64]queue)
	}
	q := t.queues[addr]
	w.addr, w.queued, w.prev, w.next = addr, true, q.tail, nil
	if q.tail == nil {
		q.head = w
	} else {
		q.tail.next = w
	}
	q.tail = w
	t.queues[addr] = q
}

func (t *Table) dequeue(w *Waiter) {
	q := t.queues[w.addr]
	if w.prev == nil {
		q.head = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.tail = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.queued, w.prev, w.next = false, nil, nil
	if q.head == nil {
		delete(t.queues, w.addr)
	} else {
		t.queues[w.addr] = q
	}
}

// operandPointer is the place of a number of so many bytes. The memory must begin at a multiple of them.
func operandPointer(mem []byte, addr, size uint64) (unsafe.Pointer, error) {
	switch {
	case addr > uint64(len(mem)) || uint64(len(mem))-addr < size:
		return nil, ErrBounds
	case addr%size != 0:
		return nil, ErrUnaligned
	}
	return unsafe.Pointer(&mem[addr]), nil
}

// load32 loads a number as WebAssembly stores it, which is with the least byte first wherever it
// runs.
func load32(p *uint32) uint32 {
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], atomic.LoadUint32(p))
	return binary.LittleEndian.Uint32(b[:])
}

func load64(p *uint64) uint64 {
	var b [8]byte
	binary.NativeEndian.PutUint64(b[:], atomic.LoadUint64(p))
	return binary.LittleEndian.Uint64(b[:])
}
