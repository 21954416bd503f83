package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/wasport/wasport/internal/printable"
)

// clearLine goes back to the beginning of a terminal's line, and erases it (ECMA-48, EL).
const clearLine = "\r\x1b[K"

// showCompiling shows on stderr, if that is a terminal, that a module is being compiled, until stop
// is called: from the first second on, since most take less.
func showCompiling(file string) (stop func()) {
	if !isTerminal(os.Stderr) || os.Getenv("TERM") == "dumb" {
		return func() {}
	}
	ticker := time.NewTicker(time.Second)
	end := progress(os.Stderr, "compiling "+printable.Name(file), ticker.C)
	return func() {
		ticker.Stop()
		end()
	}
}

// progress writes a line at each tick, of which each is a second, over the one before it. The
// function that it returns erases the line; it does not wait long for a terminal that takes
// nothing.
func progress(w io.Writer, doing string, tick <-chan time.Time) (end func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for seconds := 1; ; seconds++ {
			select {
			case <-tick:
				fmt.Fprintf(w, "%swasport: %s, %d s", clearLine, doing, seconds)
			case <-done:
				if seconds > 1 {
					io.WriteString(w, clearLine)
				}
				return
			}
		}
	}()
	return func() {
		close(done)
		select {
		case <-ended:
		case <-time.After(time.Second):
		}
	}
}
