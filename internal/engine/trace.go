package engine

import (
	"fmt"
	"io"
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
