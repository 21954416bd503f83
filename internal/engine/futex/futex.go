// Package futex implements memory.atomic.wait and memory.atomic.notify of WebAssembly's threads
// proposal, which have the semantics of futex(2).
//
// The package compares, queues and wakes. The caller's Sleeper suspends the thread, and may end the
// sleep for other reasons. Imports of the engine or of the system do not belong here.
//
// A Table may be used from several goroutines. Table.mu is a leaf: nothing is called with it held.
// It makes comparing and queueing one step, so that no notify is lost in between.
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

// The errors of operands that trap. Their texts are those of wazero's traps.
var (
	ErrBounds    = errors.New("out of bounds memory access")
	ErrUnaligned = errors.New("unaligned atomic")
)

// Result is the result of a wait, with the numbers that the guest gets.
// Source: WebAssembly threads proposal, section "Wait and Notify".
type Result uint32

const (
	// Woken is the result of a wait that a notify ended.
	Woken Result = iota

	// NotEqual is the result of a wait that found another number than the expected one.
	NotEqual

	// TimedOut is the result of a wait that its timeout ended.
	TimedOut
)

// Table holds the queues of one memory. The zero value is an empty table.
type Table struct {
	mu sync.Mutex

	// queues are keyed by address. None of them is empty.
	queues map[uint64]queue
}

// queue is a doubly linked list of waiters.
type queue struct{ head, tail *Waiter }

// Waiter is a thread's element in a queue, for one wait at a time. Table.mu protects all fields but
// woken.
type Waiter struct {
	// woken has room for one element, which Notify sends after it has removed the waiter from its
	// queue. It is made at the first wait.
	woken chan struct{}

	addr       uint64
	queued     bool
	next, prev *Waiter
}

// Sleeper is a thread that can sleep.
type Sleeper interface {
	// Sleep returns nil when it has received from woken, and syscall.ETIMEDOUT after the timeout; a
	// negative timeout is none. Any other error ended the sleep early.
	Sleep(woken <-chan struct{}, timeout time.Duration) error
}

// Wait32 has a thread sleep until it is notified, if the memory holds the expected number at addr.
// The timeout is in ns; a negative timeout is none. The error is ErrBounds, ErrUnaligned, or the
// one with which Sleep ended early.
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
	if !w.queued {
		// A notify has counted this thread as woken in the meantime, and so must this thread.
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

// Notify wakes at most count of the threads that wait at addr, the longest waiting first. It
// returns their number. The error is ErrBounds or ErrUnaligned.
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
	if w.woken == nil {
		w.woken = make(chan struct{}, 1)
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

// operandPointer returns the address of a number of so many bytes. The memory must be aligned to
// them, as mapped memory is.
func operandPointer(mem []byte, addr, size uint64) (unsafe.Pointer, error) {
	switch {
	case addr > uint64(len(mem)) || uint64(len(mem))-addr < size:
		return nil, ErrBounds
	case addr%size != 0:
		return nil, ErrUnaligned
	}
	return unsafe.Pointer(&mem[addr]), nil
}

// load32 loads a number atomically. WebAssembly's memory is little endian on every processor.
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
