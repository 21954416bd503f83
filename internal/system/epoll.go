package system

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/internal/wasi"
)

// EpollEvents are the events and the flags of epoll_ctl(2), with Linux's numbers.
type EpollEvents uint32

const (
	EpollIn        EpollEvents = 1 << 0
	EpollPri       EpollEvents = 1 << 1
	EpollOut       EpollEvents = 1 << 2
	EpollErr       EpollEvents = 1 << 3
	EpollHup       EpollEvents = 1 << 4
	EpollRdNorm    EpollEvents = 1 << 6
	EpollWrNorm    EpollEvents = 1 << 8
	EpollExclusive EpollEvents = 1 << 28
	EpollWakeup    EpollEvents = 1 << 29
	EpollOneshot   EpollEvents = 1 << 30
	EpollEdge      EpollEvents = 1 << 31

	// epollWithExclusive are the events and flags that EpollExclusive goes with (epoll_ctl(2)).
	epollWithExclusive = EpollExclusive | EpollIn | EpollOut | EpollErr | EpollHup | EpollWakeup |
		EpollEdge
)

// EpollEvent is a result of EpollWait.
type EpollEvent struct {
	Events EpollEvents
	Data   uint64
}

// EpollOp is an operation of EpollControl, with Linux's numbers.
type EpollOp int32

const (
	EpollAdd EpollOp = 1 + iota
	EpollDelete
	EpollModify
)

// maxEpolls is the number of epolls that a guest can have. A program has one for each of its event
// loops.
const maxEpolls = 64

// epollExtra is how many descriptors of the host an epoll takes beyond the one that its number
// stands for, on systems with poll.Edges. It counts against Config.MaxDescriptors everywhere.
const epollExtra = 1

// maxInterests is the number of registrations that a description can have, with all epolls and
// under all numbers that dup(2) gives it. A call that makes it ready looks at each, uninterrupted.
const maxInterests = 256

// interestMemory is charged for a registration, in bytes.
const interestMemory = 512

// epoll is the object of epoll(7). As in Linux, it has a list of the registrations that may be
// ready. A wait polls those on the list and no others: one that is not ready leaves the list, and a
// level-triggered one that is ready goes to its end. The edges of their objects put registrations
// onto the list. On a system without poll.Edges a wait polls all registrations.
//
// Locks: controlMu is held while registrations change and while events are collected, and mu, the
// last one, for a change of the list. An object may hold a lock of its own while it takes mu.
type epoll struct {
	guest *Guest
	// edges is nil on a system without them.
	edges *poll.Edges
	// forSets tells that a Set waits for the epoll itself.
	forSets atomic.Bool
	// polls counts the polls of registrations.
	polls atomic.Uint64

	controlMu sync.Mutex
	interests map[interestKey]*interest
	closed    bool

	// mu protects the list.
	mu          sync.Mutex
	first, last *interest
	listed      int
}

// interestKey identifies a registration as Linux does: by the number and the open file description
// (epoll(7), questions and answers).
type interestKey struct {
	fd int32
	of *description
}

// interest is a registration.
type interest struct {
	interestKey
	epoll  *epoll
	events EpollEvents
	data   uint64
	edge   *poll.Edge
	// isDisabled tells that a one-shot one was reported.
	isDisabled bool

	// told tells that an edge-triggered one was reported, when its description had that count of
	// EAGAIN. It is used without edges.
	told  bool
	again uint32

	// The fields below are protected by epoll.mu.

	isListed, isRemoved bool
	prev, next          *interest
}

var _ object = (*epoll)(nil)

func (e *epoll) filetype() wasi.Filetype      { return wasi.FiletypeUnknown }
func (e *epoll) flags() wasi.Fdflags          { return 0 }
func (e *epoll) setFlags(wasi.Fdflags) error  { return nil }
func (e *epoll) read([][]byte) (int, error)   { return 0, syscall.EINVAL }
func (e *epoll) write([][]byte) (int, error)  { return 0, syscall.EINVAL }
func (e *epoll) Available() (int, error)      { return 0, nil }
func (e *epoll) stat() (wasi.Filestat, error) { return wasi.Filestat{}, nil }

// EpollCreate makes an epoll, as epoll_create1(2) does. It is EMFILE if there are maxEpolls, or no
// room for two descriptors.
func (g *Guest) EpollCreate() (int32, error) {
	if err := g.takeEpoll(); err != nil {
		return -1, err
	}
	edges, err := poll.NewEdges()
	if err != nil {
		g.releaseEpoll()
		return -1, err
	}
	e := &epoll{guest: g, edges: edges, interests: make(map[interestKey]*interest)}
	return g.insert(newDescriptor(e, pipeRights, 0))
}

func (g *Guest) takeEpoll() error {
	if g.epolls.Add(1) > maxEpolls {
		g.epolls.Add(-1)
		return syscall.EMFILE
	}
	err := g.table.charge(epollExtra)
	if err != nil {
		g.epolls.Add(-1)
		g.reportIfFull(err)
	}
	return err
}

func (g *Guest) releaseEpoll() {
	g.table.refund(epollExtra)
	g.epolls.Add(-1)
}

// epollAt returns the descriptor fd if it is an epoll, else EINVAL.
func (g *Guest) epollAt(fd int32) (*descriptor, *epoll, error) {
	d, err := g.table.lookup(fd)
	if err != nil {
		return nil, nil, err
	}
	e, ok := d.object.(*epoll)
	if !ok {
		return nil, nil, syscall.EINVAL
	}
	return d, e, nil
}

// EpollControl changes a registration, with the errors of epoll_ctl(2). An epoll cannot be
// registered with another: that is ELOOP.
func (t *Thread) EpollControl(epfd int32, op EpollOp, fd int32, events EpollEvents,
	data uint64) error {
	if _, err := t.table.lookup(epfd); err != nil {
		return err
	}
	d, err := t.table.lookup(fd)
	if err != nil {
		return err
	}
	if err := d.checkPollable(); err != nil {
		return err
	}
	_, e, err := t.epollAt(epfd)
	if err != nil {
		return err
	}
	other, nested := d.object.(*epoll)
	exclusive := events&EpollExclusive != 0 && op != EpollDelete
	switch {
	case other == e,
		exclusive && (op == EpollModify || nested || events&^epollWithExclusive != 0):
		return syscall.EINVAL
	case nested:
		return syscall.ELOOP
	}
	err = e.control(op, interestKey{fd, d.description}, events, data)
	if err == nil && e.edges == nil && t.table.multiThreaded.Load() {
		t.wakePollers() // those that wait have the registrations from before
	}
	return err
}

// checkPollable returns EPERM for a descriptor that is always ready (epoll_ctl(2)).
func (d *descriptor) checkPollable() error {
	way := d.Readiness()
	switch t := d.filetype(); {
	case t == wasi.FiletypeRegularFile, t == wasi.FiletypeDirectory,
		way.Control == nil && way.Notify == nil && !isEpoll(d):
		return syscall.EPERM
	}
	return d.require(wasi.RightPollFdReadwrite)
}

func isEpoll(d *descriptor) bool {
	_, ok := d.object.(*epoll)
	return ok
}

func (e *epoll) control(op EpollOp, key interestKey, events EpollEvents, data uint64) error {
	e.controlMu.Lock()
	defer e.controlMu.Unlock()
	if e.closed {
		return net.ErrClosed
	}
	i := e.interests[key]
	switch {
	case op == EpollAdd && i != nil:
		return syscall.EEXIST
	case op == EpollAdd:
		return e.add(key, events, data)
	case op != EpollDelete && op != EpollModify:
		return syscall.EINVAL
	case i == nil:
		return syscall.ENOENT
	case op == EpollDelete:
		key.of.epolls.leave(i)
		e.remove(i)
		return nil
	case i.events&EpollExclusive != 0:
		return syscall.EINVAL
	}
	i.events, i.data, i.told, i.isDisabled = events, data, false, false
	if e.edges != nil {
		return e.edges.Change(i.edge, events.wanted())
	}
	return nil
}

// add makes a registration. It is ENOSPC without memory, or if the description has maxInterests, as
// with more than max_user_watches (epoll(7)).
func (e *epoll) add(key interestKey, events EpollEvents, data uint64) error {
	if err := e.guest.memory.ChargeMemory(interestMemory); err != nil {
		return syscall.ENOSPC
	}
	i := &interest{interestKey: key, epoll: e, events: events, data: data}
	err := key.of.epolls.join(i)
	if err == nil && e.edges != nil {
		i.edge, err = e.edges.Add(key.of.object, events.wanted(), func() { e.list(i) })
	}
	if err != nil {
		key.of.epolls.leave(i)
		e.guest.memory.RefundMemory(interestMemory)
		return err
	}
	e.interests[key] = i
	return nil
}

// remove removes a registration that its description no longer lists. controlMu is held.
func (e *epoll) remove(i *interest) {
	if e.interests[i.interestKey] != i {
		return
	}
	delete(e.interests, i.interestKey)
	if e.edges != nil {
		e.edges.Remove(i.edge)
	}
	e.mu.Lock()
	e.unlink(i)
	i.isRemoved = true
	e.mu.Unlock()
	e.guest.memory.RefundMemory(interestMemory)
}

func (e *epoll) close() error {
	e.controlMu.Lock()
	defer e.controlMu.Unlock()
	e.closed = true
	for _, i := range e.interests {
		i.of.epolls.leave(i)
		e.remove(i)
	}
	if e.edges != nil {
		e.edges.Close()
	}
	e.guest.releaseEpoll()
	return nil
}

// epollList has the registrations of a description, which end with it.
type epollList struct {
	mu     sync.Mutex
	list   map[*interest]struct{}
	closed bool
}

// join is EBADF if the description is closed, and ENOSPC if it has maxInterests.
func (l *epollList) join(i *interest) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return syscall.EBADF
	case len(l.list) >= maxInterests:
		return syscall.ENOSPC
	}
	if l.list == nil {
		l.list = make(map[*interest]struct{})
	}
	l.list[i] = struct{}{}
	return nil
}

func (l *epollList) leave(i *interest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.list, i)
}

// leaveAll removes all registrations of a description that is about to be closed.
func (l *epollList) leaveAll() {
	l.mu.Lock()
	list := l.list
	l.list, l.closed = nil, true
	l.mu.Unlock()
	for i := range list {
		i.leave()
	}
}

func (i *interest) leave() {
	i.epoll.controlMu.Lock()
	defer i.epoll.controlMu.Unlock()
	i.epoll.remove(i)
}
