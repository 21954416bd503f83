package engine

import (
	"fmt"
	"io"
	"sync"
)

// traceOf is where the calls of a thread are reported, each with the thread's id.
func (g *guest) traceOf(id uint32) io.Writer {
	if g.trace == nil {
		return nil
	}
	return &threadTrace{g.trace, []byte(fmt.Sprintf("[%d] ", id))}
}

type threadTrace struct {
	w      io.Writer
	prefix []byte
}

func (t *threadTrace) Write(line []byte) (int, error) {
	n, err := t.w.Write(append(t.prefix[:len(t.prefix):len(t.prefix)], line...))
	return max(n-len(t.prefix), 0), err
}

// inTurn is a writer for several threads.
type inTurn struct {
	mu sync.Mutex
	w  io.Writer
}

func (t *inTurn) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.w.Write(b)
}
