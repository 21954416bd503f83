package poll

import (
	"sync"

	"github.com/wasport/wasport/network"
)

// filters tell which changes of a descriptor make an event: to be readable, to be writable.
type filters uint8

const (
	readFilter filters = 1 << iota
	writeFilter
)

// filtersOf returns the filters that make an event for each of the events wanted. Hangup and Failed
// come with readFilter on every kind of descriptor.
func filtersOf(want network.Events) filters {
	if want&network.Writable != 0 {
		return readFilter | writeFilter
	}
	return readFilter
}

// edge is an event: the descriptor may have become ready.
type edge struct {
	fd      int
	filters filters
}

// edgeQueue is the kernel's queue of events. An event comes once for each change, and once for what
// holds when the descriptor is added. A closed descriptor leaves the queue by itself.
type edgeQueue interface {
	// add asks for the events of a descriptor, also of one that was added before.
	add(fd int, f filters) error
	// remove ends the events of a descriptor, which may be closed.
	remove(fd int)
	// wait blocks until there are events. It reports false after stop.
	wait() (events []edge, ok bool)
	// stop ends wait, once.
	stop()
	close()
}

// hub distributes the events of one edgeQueue among the sets of the process. The queue is open, and
// a goroutine waits for it, while there are sets.
//
// Lock order: hub.mu is taken within Control of a Pollable, and no other lock within hub.mu.
type hub struct {
	open func() (edgeQueue, error)

	// mu protects the fields below, and what a watch tells of its descriptor.
	mu    sync.Mutex
	sets  int
	queue edgeQueue
	// watches holds those of each descriptor in the queue. Those of a closed descriptor stay until
	// their sets remove them, beside those of another one that has got the number.
	watches map[int][]*watch
}

func (h *hub) acquire() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sets == 0 {
		q, err := h.open()
		if err != nil {
			return err
		}
		h.queue, h.watches = q, make(map[int][]*watch)
		go h.run(q)
	}
	h.sets++
	return nil
}

func (h *hub) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sets--; h.sets == 0 {
		h.queue.stop()
		h.queue, h.watches = nil, nil
	}
}

func (h *hub) run(q edgeQueue) {
	defer q.close()
	for {
		events, ok := q.wait()
		if !ok {
			return
		}
		h.mark(q, events)
	}
}

// mark marks the watches that events may have made ready.
func (h *hub) mark(q edgeQueue, events []edge) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.queue != q {
		return // its sets are closed, and others have a new queue
	}
	for _, e := range events {
		for _, w := range h.watches[e.fd] {
			if e.filters&filtersOf(network.Events(w.want.Load())) != 0 {
				w.mark()
			}
		}
	}
}

// watch asks for the events of a descriptor, which the caller keeps open meanwhile. A watch that is
// there already may want others.
func (h *hub) watch(fd int, w *watch, want network.Events) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.queue.add(fd, filtersOf(want)); err != nil {
		if len(h.watches[fd]) == 0 {
			h.queue.remove(fd) // one of the filters may have been added
		}
		return err
	}
	if w.fd < 0 {
		w.fd = fd
		h.watches[fd] = append(h.watches[fd], w)
	}
	return nil
}

// unwatch forgets a watch. The last one of a descriptor takes that out of the queue.
func (h *hub) unwatch(w *watch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.watches[w.fd]
	for i := range list {
		if list[i] == w {
			list[i] = list[len(list)-1]
			list[len(list)-1] = nil
			list = list[:len(list)-1]
			break
		}
	}
	if len(list) == 0 {
		delete(h.watches, w.fd)
		h.queue.remove(w.fd)
	} else {
		h.watches[w.fd] = list
	}
	w.fd = -1
}
