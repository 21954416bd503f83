package engine

import (
	"fmt"
	"io"
)

// threadTrace returns the writer for the trace of a thread. It puts the thread's id before each
// line.
func (inst *instance) threadTrace(id uint32) io.Writer {
	if inst.trace == nil {
		return nil
	}
	return &prefixedTrace{inst.trace, []byte(fmt.Sprintf("[%d] ", id))}
}

// prefixedTrace writes each line to w, after the prefix.
type prefixedTrace struct {
	w      io.Writer
	prefix []byte
}

func (t *prefixedTrace) Write(line []byte) (int, error) {
	n, err := t.w.Write(append(t.prefix[:len(t.prefix):len(t.prefix)], line...))
	return max(n-len(t.prefix), 0), err
}
