package wasi2

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/internal/system"
)

func TestEnvironment(t *testing.T) {
	c := newCaller(t, system.Config{
		Args: []string{"app", "", "ü"}, Env: []string{"A=1=2", "EMPTY=", "NONE"},
	})
	c.wants(`["app", "", "ü"]`, "cli/environment.get-arguments")
	c.wants(`[("A", "1=2"), ("EMPTY", ""), ("NONE", "")]`, "cli/environment.get-environment")
	c.wants(`none`, "cli/environment.initial-cwd")
	none := newCaller(t, system.Config{})
	none.wants(`[]`, "cli/environment.get-arguments")
	none.wants(`[]`, "cli/environment.get-environment")
}

// TestStartNeedsUTF8 starts guests with strings that are no strings of components.
func TestStartNeedsUTF8(t *testing.T) {
	for want, config := range map[string]system.Config{
		`argument 1 is not UTF-8, which a component needs: "\xff"`: {
			Args: []string{"app", "\xff"},
		},
		`environment entry 2 is not UTF-8, which a component needs: "B=\xff"`: {
			Env: []string{"A=1", "B=\xff"},
		},
		`the source of random bytes failed: no more`: {
			Random: iotest.ErrReader(errors.New("no more")),
		},
	} {
		g, err := system.New(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		th := g.NewThread(sched.New())
		if _, err := NewGuest(th); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		th.Close()
		g.Close()
	}
}

// TestExit ends the guest in each way; nothing more of it runs.
func TestExit(t *testing.T) {
	for _, test := range []struct {
		name string
		arg  int
		want uint32
	}{
		{"exit", 0, 0}, {"exit", 1, 1},
		{"exit-with-code", 0, 0}, {"exit-with-code", 7, 7}, {"exit-with-code", 255, 255},
		{"exit-with-code", 256 + 3, 3}, // a u8 is the lower bits of its i32
	} {
		c := newCaller(t, system.Config{})
		for _, name := range []string{"cli/exit." + test.name, "cli/environment.initial-cwd"} {
			_, err := c.try(name, test.arg)
			var exit *system.Exit
			if !errors.As(err, &exit) || exit.Code != test.want {
				t.Errorf("%s(%d): got %v, want exit status %d", name, test.arg, err, test.want)
			}
		}
	}
}

// TestStandardStreams gets several handles to each stream.
func TestStandardStreams(t *testing.T) {
	var out, errs bytes.Buffer
	c := newCaller(t, system.Config{Stdin: strings.NewReader("abcd"), Stdout: &out, Stderr: &errs})
	for _, want := range []string{`ok("ab")`, `ok("cd")`, `err(closed)`} {
		in := c.handle("cli/stdin.get-stdin")
		c.wants(want, inStream+"blocking-read", in, 2)
		if err := c.drop("io/streams.input-stream", in); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		c.wants(`ok`, outStream+"blocking-write-and-flush", c.handle("cli/stdout.get-stdout"), "o")
		h := c.handle("cli/stderr.get-stderr")
		c.wants(`ok`, outStream+"blocking-write-and-flush", h, "e")
		if err := c.drop("io/streams.output-stream", h); err != nil {
			t.Fatal(err)
		}
	}
	if out.String() != "oo" || errs.String() != "ee" {
		t.Errorf("got %q and %q, want oo and ee", out.String(), errs.String())
	}
}

// TestTwoHandlesOfStdout checks that a permit of the other handle is kept, although a write of the
// first goes on.
func TestTwoHandlesOfStdout(t *testing.T) {
	r, w := newPipe(t)
	c := newCaller(t, system.Config{Stdout: w})
	a, b := c.handle("cli/stdout.get-stdout"), c.handle("cli/stdout.get-stdout")
	c.wants(`ok(65536)`, outStream+"check-write", a)
	c.wants(`ok`, outStream+"write", a, 0, maxPermit) // fills the pipe
	c.wants(`ok(65536)`, outStream+"check-write", a)
	c.wants(`ok(65536)`, outStream+"check-write", b)
	c.wants(`ok`, outStream+"write", a, 0, 100)
	go r.Read(make([]byte, 1<<20))
	c.wants(`ok`, outStream+"write", b, "last")
}

// TestClosedHandleLeavesErrorToOther has a write of standard output fail, which one of two handles
// cannot tell any more.
func TestClosedHandleLeavesErrorToOther(t *testing.T) {
	d := &description{}
	d.pending.started, d.pending.err = true, syscall.EIO
	d.pending.ended.Set()
	closed, open := &output{description: d, closed: true}, &output{description: d}
	if err := closed.check(); err != errClosed {
		t.Errorf("got %v from the closed handle, want %v", err, errClosed)
	}
	if err := open.check(); err != syscall.EIO {
		t.Errorf("got %v from the open handle, want %v", err, syscall.EIO)
	}
}

var terminalFunctions = []string{"cli/terminal-stdin.get-terminal-stdin",
	"cli/terminal-stdout.get-terminal-stdout", "cli/terminal-stderr.get-terminal-stderr"}

func TestNoTerminals(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, config := range []system.Config{{}, {Stdin: null, Stdout: null, Stderr: null}} {
		c := newCaller(t, config)
		for _, name := range terminalFunctions {
			c.wants(`none`, name)
		}
	}
}
