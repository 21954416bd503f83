package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
)

// stdout takes everything that the command itself prints. A guest writes to os.Stdout, and learns
// the errors of its own calls.
var stdout = &checkedWriter{w: os.Stdout}

// checkedWriter remembers the first error of its writer. It may be used by several goroutines.
type checkedWriter struct {
	w      io.Writer
	failed atomic.Pointer[error]
}

func (c *checkedWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	if err != nil {
		c.failed.CompareAndSwap(nil, &err)
	}
	return n, err
}

// check returns the error of the command, which is that of its output if it has no other to print.
func (c *checkedWriter) check(err error) error {
	failed := c.failed.Load()
	if failed == nil {
		return err
	}
	status := statusFailure
	if e, ok := err.(*exitError); ok && e.err == nil {
		status = e.status
	} else if err != nil && !errors.Is(err, *failed) {
		return err
	}
	return &exitError{status, fmt.Errorf("stdout cannot be written: %w", plainError(*failed))}
}
