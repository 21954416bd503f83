//go:build linux || windows

package main

import (
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// terminal is a command that runs on a terminal of its own.
type terminal struct {
	t    *testing.T
	keys io.Writer

	// wait waits for the end and returns the exit status, and kill ends the command.
	wait func() int
	kill func()

	// mu protects text, the output that no test has waited for. more is signalled when it grows.
	mu   sync.Mutex
	more *sync.Cond
	text strings.Builder
	eof  bool
}

// control matches control sequences, by which a console moves its cursor (ECMA-48).
var control = regexp.MustCompile("\x1b(\\[[0-9;?]*[a-zA-Z]|\\][^\x07]*\x07)")

func (c *terminal) collect(out io.Reader) {
	buf := make([]byte, 4096)
	for {
		n, err := out.Read(buf)
		c.add(buf[:n], err != nil)
		if err != nil {
			return
		}
	}
}

func (c *terminal) add(text []byte, eof bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text.Write(text)
	c.eof = c.eof || eof
	c.more.Broadcast()
}

// waitFor waits until a text has been printed after the text that it waited for before.
func (c *terminal) waitFor(want string) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		got := control.ReplaceAllString(c.text.String(), "")
		_, rest, found := strings.Cut(got, want)
		switch {
		case found:
			c.text.Reset()
			c.text.WriteString(rest)
			return
		case c.eof:
			c.t.Fatalf("got %q, want %q in it", c.text.String(), want)
		}
		c.more.Wait()
	}
}

func (c *terminal) press(keys string) {
	c.t.Helper()
	if _, err := io.WriteString(c.keys, keys); err != nil {
		c.t.Error(err)
	}
}

// onTerminal runs a program of TestMain on a terminal, until testTimeout at most.
func onTerminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	c := &terminal{t: t}
	c.more = sync.NewCond(&c.mu)
	startOnTerminal(c, args)
	timer := time.AfterFunc(testTimeout, func() {
		c.kill()
		c.add(nil, true)
	})
	t.Cleanup(func() { timer.Stop(); c.kill() })
	return c
}

// TestTerminal runs a guest with a terminal as all three standard streams.
func TestTerminal(t *testing.T) {
	c := onTerminal(t, "wasport", "run", standardGuest)
	for _, line := range []string{"0", "1", "2"} {
		c.waitFor(line + " device terminal")
	}
	c.press("hello\r")
	c.waitFor("in hello")
	c.press(endOfInput)
	c.waitFor("end")
	if got := c.wait(); got != 0 {
		t.Errorf("got exit status %d, want 0", got)
	}
}

// TestTerminalPoll polls a terminal, on which no line has been typed, with a time-out.
func TestTerminalPoll(t *testing.T) {
	c := onTerminal(t, "wasport", "run", standardGuest, "100")
	c.waitFor("waits")
	c.press(otherKey + "half")
	c.waitFor("half")
	c.waitFor("waits")
	c.press(" a line\r")
	c.waitFor("in half a line")
}

// TestTerminalInterrupt ends guests by keys and not by their signals.
func TestTerminalInterrupt(t *testing.T) {
	const guests = "../../internal/guests/"
	for _, end := range interrupts {
		for _, row := range []struct {
			name, says string
			args       []string
		}{
			{"guest reads", "blocking", []string{guests + "block.wasm", "read"}},
			{"guest sleeps", "blocking", []string{guests + "block.wasm", "sleep"}},
			{"guest accepts", "blocking", []string{"--allow-listen", "loopback",
				guests + "block.wasm", "accept"}},
			{"guest computes", "spinning", []string{guests + "spin.wasm"}},
			{"threads wait", "ready", []string{"--allow-listen", "loopback", "--allow-connect",
				"loopback", guests + "threads/end.wasm", "nothing"}},
			{"component reads", "blocking", []string{guests + "components/block.wasm", "block"}},
		} {
			t.Run(row.name+"/"+end.name, func(t *testing.T) {
				c := onTerminal(t, append([]string{"wasport", "run"}, row.args...)...)
				c.waitFor(row.says)
				end.press(c)
				if got := c.wait(); got != statusSignal+2 {
					t.Errorf("got exit status %d, want %d", got, statusSignal+2)
				}
			})
		}
	}
}

// TestTerminalSecondInterrupt presses the key again while a command is busy after the first.
func TestTerminalSecondInterrupt(t *testing.T) {
	for _, end := range interrupts {
		t.Run(end.name, func(t *testing.T) {
			c := onTerminal(t, "interrupted")
			c.waitFor("ready")
			end.press(c)
			c.waitFor("first")
			end.press(c)
			if got, want := c.wait(), defaultInterrupt; got != want {
				t.Errorf("got exit status %d, want %d, of the system's default action", got, want)
			}
		})
	}
}
