package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/printable"
)

// console queues the command's own messages for stderr. A stopped terminal or a pipe without a
// reader blocks write(2); the queue then drops and counts messages, so that neither the guest's end
// nor the exit of the process waits for a reader.
var console = outside.Queue{
	OnPanic: func(*outside.Panic) {},
	OnDropped: func(n uint64) {
		fmt.Fprintf(os.Stderr, "wasport: warning: %d messages before this one are not shown, "+
			"since stderr was not read\n", n)
	},
}

// printStderr prints a text of whole lines. A guest may have chosen the names in it, so
// unprintable characters are escaped: a terminal would obey them.
func printStderr(text string) {
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

// printMessage prints a message of the command, without a line feed at its end.
func printMessage(text string) { printStderr(message(text)) }

// message returns the lines of a message. Those after the first are indented, but for that of
// usageError: the name of a file may have a line feed, after which it would seem to be a message of
// its own.
func message(text string) string {
	const indent = "  "
	var b strings.Builder
	b.WriteString("wasport: ")
	for i, line := range slices.Collect(strings.Lines(text)) {
		if i > 0 && !strings.HasPrefix(line, indent) && !isHelpLine(line) {
			b.WriteString(indent)
		}
		b.WriteString(line)
	}
	return b.String() + "\n"
}

// isHelpLine reports whether a line is the last one of a usageError.
func isHelpLine(line string) bool {
	rest, begins := strings.CutPrefix(line, "see wasport ")
	command, ends := strings.CutSuffix(rest, " --help")
	return begins && ends && !strings.Contains(command, " ")
}

// consoleWriter passes each Write, which must be of whole lines, to printStderr.
type consoleWriter struct{}

func (consoleWriter) Write(b []byte) (int, error) {
	printStderr(string(b))
	return len(b), nil
}

// callUntilDone calls f, which may block on a file, for at most a second beyond the end of ctx, and
// then returns the cause of that end. f goes on in its goroutine until the process exits.
func callUntilDone(ctx context.Context, f func() error) error {
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
