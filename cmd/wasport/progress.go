package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/wasport/wasport/internal/printable"
)

// clearLine moves the cursor to the beginning of a terminal's line and erases it (ECMA-48, EL).
const clearLine = "\r\x1b[K"

// showCompiling shows on stderr, if that is a terminal, for how long a module has been compiling.
// It starts after one second, since most modules take less. stop erases the line.
func showCompiling(file string) (stop func()) {
	if !isTerminal(os.Stderr) || os.Getenv("TERM") == "dumb" {
		return func() {}
	}
	ticker := time.NewTicker(time.Second)
	stopProgress := startProgress(os.Stderr, "compiling "+printable.Name(file), ticker.C)
	return func() {
		ticker.Stop()
		stopProgress()
	}
}

// startProgress overwrites a line at each tick, one per second. stop erases the line, and waits for
// at most a second if the terminal is stopped (termios(3), IXON).
func startProgress(w io.Writer, activity string, tick <-chan time.Time) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for seconds := 1; ; seconds++ {
			select {
			case <-tick:
				fmt.Fprintf(w, "%swasport: %s, %d s", clearLine, activity, seconds)
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
