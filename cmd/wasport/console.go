package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/printable"
)

// console is this process's stderr, as far as the command itself prints there. A terminal that is
// held, or a pipe that is not read, keeps neither a guest from being ended nor the process from
// exiting: what it does not take is dropped, and counted.
var console = outside.Queue{
	OnPanic: func(*outside.Panic) {},
	OnDropped: func(n uint64) {
		fmt.Fprintf(os.Stderr, "wasport: warning: %d messages before this one are not shown, "+
			"since stderr was not read\n", n)
	},
}

// say prints a text of whole lines. Names of files may be in it, and are the user's or a guest's
// choice, so that what does not print is escaped.
func say(text string) {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line, ended := strings.CutSuffix(line, "\n")
		b.WriteString(printable.Text(line))
		if ended {
			b.WriteByte('\n')
		}
	}
	console.Do(nil, "stderr", func() { io.WriteString(os.Stderr, b.String()) })
}

// consoleWriter is say as a writer of whole lines.
type consoleWriter struct{}

func (consoleWriter) Write(b []byte) (int, error) {
	say(string(b))
	return len(b), nil
}

// unlessEnded calls f, which writes to a stream, but waits for it no longer than for a moment
// after the end of ctx.
func unlessEnded(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(time.Second):
		return context.Cause(ctx)
	}
}
