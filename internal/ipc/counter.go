package ipc

import (
	"encoding/binary"
	"math"
	"net"
	"sync"
	"syscall"

	"github.com/wasport/wasport/internal/ring"
	"github.com/wasport/wasport/network"
)

// maxCount is the largest value of a Counter (eventfd(2)).
const maxCount = math.MaxUint64 - 1

// Counter is the object of eventfd(2): a number that writes add to and a read takes.
type Counter struct {
	// semaphore has a read take 1 in place of the whole number (eventfd(2), EFD_SEMAPHORE).
	semaphore bool
	watch     watch

	// mu protects the fields below it. It is not held while wake functions are called.
	mu     sync.Mutex
	value  uint64
	closed bool
}

// NewCounter makes a counter. With semaphore, a read takes 1 from it and not the whole number.
func NewCounter(initial uint32, semaphore bool) *Counter {
	return &Counter{semaphore: semaphore, value: uint64(initial)}
}

// Read reads the number in 8 bytes, little-endian. It is EAGAIN while that is 0, and EINVAL for
// fewer bytes.
func (c *Counter) Read(bufs [][]byte) (int, error) {
	if ring.TotalLen(bufs) < 8 {
		return 0, syscall.EINVAL
	}
	n, err := c.take()
	if err != nil {
		return 0, err
	}
	c.watch.wake()
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	rest := b[:]
	for _, to := range bufs {
		rest = rest[copy(to, rest):]
	}
	return len(b), nil
}

func (c *Counter) take() (n uint64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return 0, net.ErrClosed
	case c.value == 0:
		return 0, syscall.EAGAIN
	case c.semaphore:
		n = 1
	default:
		n = c.value
	}
	c.value -= n
	return n, nil
}

// Write adds the number in the first 8 bytes. It is EAGAIN if the sum would be too large, and
// EINVAL for fewer bytes and for the largest number.
func (c *Counter) Write(bufs [][]byte) (int, error) {
	n, whole := summand(bufs)
	if !whole || n > maxCount {
		return 0, syscall.EINVAL
	}
	if err := c.add(n); err != nil {
		return 0, err
	}
	c.watch.wake()
	return 8, nil
}

// summand returns the number in the first 8 bytes, and reports false if there are fewer.
func summand(bufs [][]byte) (n uint64, whole bool) {
	var b [8]byte
	rest := b[:]
	for _, from := range bufs {
		rest = rest[copy(rest, from):]
	}
	return binary.LittleEndian.Uint64(b[:]), len(rest) == 0
}

// RoomFor returns a Pollable that is Writable once the number in bufs can be added, for a caller
// that waits after EAGAIN: Poll of the counter tells of room for 1 only.
func (c *Counter) RoomFor(bufs [][]byte) network.Pollable {
	n, _ := summand(bufs)
	return roomFor{c, n}
}

type roomFor struct {
	*Counter
	n uint64
}

func (r roomFor) Poll(want network.Events) (network.Events, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return 0, net.ErrClosed
	case r.n > maxCount-r.value:
		return 0, nil
	}
	return want & network.Writable, nil
}

func (r roomFor) Readiness() network.Readiness { return readinessOf(r, &r.watch) }

func (c *Counter) add(n uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return net.ErrClosed
	case n > maxCount-c.value:
		return syscall.EAGAIN
	}
	c.value += n
	return nil
}

// Poll reports Readable if the number is not 0, and Writable if it can become larger.
func (c *Counter) Poll(want network.Events) (network.Events, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	var got network.Events
	if c.value > 0 {
		got |= network.Readable
	}
	if c.value < maxCount {
		got |= network.Writable
	}
	return got & want, nil
}

func (c *Counter) Readiness() network.Readiness { return readinessOf(c, &c.watch) }

// Available returns 0: the number is no queue of bytes, and FIONREAD natively fails on it.
func (c *Counter) Available() (int, error) { return 0, nil }

func (c *Counter) Close() error {
	c.mu.Lock()
	was := c.closed
	c.closed = true
	c.mu.Unlock()
	if was {
		return net.ErrClosed
	}
	c.watch.wake()
	return nil
}
