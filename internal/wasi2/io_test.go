package wasi2

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/system"
)

const (
	inStream  = "io/streams.[method]input-stream."
	outStream = "io/streams.[method]output-stream."
)

func newPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// TestInputStream reads bytes, nothing, the end and an error.
func TestInputStream(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(*caller) *caller) {
		t.Run("reader", func(t *testing.T) {
			c := form(newCaller(t, system.Config{Stdin: strings.NewReader("hello")}))
			in := c.handle("cli/stdin.get-stdin")
			c.wants(`ok("he")`, inStream+"blocking-read", in, 2)
			c.wants(`ok("")`, inStream+"read", in, 0)
			c.wants(`ok(1)`, inStream+"skip", in, 1)
			c.wants(`ok("lo")`, inStream+"read", in, uint64(1<<40))
			c.wants(`err(closed)`, inStream+"blocking-read", in, 9)
			for _, name := range []string{"read", "blocking-read", "skip", "blocking-skip"} {
				c.wants(`err(closed)`, inStream+name, in, 0)
				c.wants(`err(closed)`, inStream+name, in, 9)
			}
		})
		t.Run("nothing yet", func(t *testing.T) {
			r, w := newPipe(t)
			c := form(newCaller(t, system.Config{Stdin: r}))
			in := c.handle("cli/stdin.get-stdin")
			c.wants(`ok("")`, inStream+"read", in, 5)
			c.wants(`ok(0)`, inStream+"skip", in, 5)
			ready := c.handle(inStream+"subscribe", in)
			c.wants(`false`, "io/poll.[method]pollable.ready", ready)
			go w.WriteString("text")
			c.wants(``, "io/poll.[method]pollable.block", ready)
			c.wants(`true`, "io/poll.[method]pollable.ready", ready)
			c.wants(`ok("text")`, inStream+"read", in, 70000)
			go func() {
				w.WriteString("more")
				w.Close()
			}()
			c.wants(`ok("more")`, inStream+"blocking-read", in, 70000)
			c.wants(``, "io/poll.[method]pollable.block", ready)
			c.wants(`err(closed)`, inStream+"read", in, 5)
			c.wants(`true`, "io/poll.[method]pollable.ready", ready)
		})
		t.Run("much", func(t *testing.T) {
			data := strings.Repeat("0123456789abcdef", 10_000)
			c := form(newCaller(t, system.Config{Stdin: strings.NewReader(data)}))
			in := c.handle("cli/stdin.get-stdin")
			var got strings.Builder
			for got.Len() < len(data) {
				text := c.call(inStream+"blocking-read", in, uint64(1<<63))
				got.WriteString(strings.TrimSuffix(strings.TrimPrefix(text, `ok("`), `")`))
			}
			if got.String() != data {
				t.Errorf("got %d other bytes, want the %d of the reader", got.Len(), len(data))
			}
		})
		t.Run("error", func(t *testing.T) {
			c := form(newCaller(t, system.Config{Stdin: io.MultiReader(strings.NewReader("ab"),
				failingReader{})}))
			in := c.handle("cli/stdin.get-stdin")
			c.wants(`ok(2)`, inStream+"blocking-skip", in, 9)
			failed := c.handle0(inStream+"blocking-read", in, 9)
			c.wants(`"EIO"`, "io/error.[method]error.to-debug-string", failed)
			c.wants(`err(closed)`, inStream+"read", in, 9)
		})
	})
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, syscall.EIO }

// handle0 calls a function that must fail with last-operation-failed, and returns the error.
func (c *caller) handle0(name string, args ...any) uint64 {
	c.Helper()
	text := c.call(name, args...)
	number, ok := strings.CutPrefix(text, "err(last-operation-failed(")
	if !ok {
		c.Fatalf("%s%v: got %s, want last-operation-failed", name, args, text)
	}
	n := uint64(0)
	for _, digit := range strings.TrimSuffix(number, "))") {
		n = 10*n + uint64(digit-'0')
	}
	return n
}

// TestOutputStream writes to a buffer with the protocol of permits.
func TestOutputStream(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(*caller) *caller) {
		var buf bytes.Buffer
		c := form(newCaller(t, system.Config{Stdout: &buf}))
		out := c.handle("cli/stdout.get-stdout")
		c.wants(`ok`, outStream+"write", out, "") // needs no permit
		c.wants(`ok(65536)`, outStream+"check-write", out)
		c.wants(`ok`, outStream+"write", out, "") // uses none
		c.wants(`ok`, outStream+"write", out, "hello ")
		c.wants(`ok`, outStream+"blocking-flush", out)
		c.wants(`ok`, outStream+"blocking-write-and-flush", out, "hello ")
		c.wants(`ok`, outStream+"blocking-write-zeroes-and-flush", out, 3)
		c.wants(`ok(65536)`, outStream+"check-write", out)
		c.wants(`ok`, outStream+"write-zeroes", out, 2)
		c.wants(`ok`, outStream+"flush", out)
		ready := c.handle(outStream+"subscribe", out)
		c.wants(``, "io/poll.[method]pollable.block", ready)
		c.wants(`true`, "io/poll.[method]pollable.ready", ready)
		c.wants(`ok`, outStream+"blocking-flush", out)
		if got, want := buf.String(), "hello hello \x00\x00\x00\x00\x00"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestOutputStreamTraps makes each mistake with permits.
func TestOutputStreamTraps(t *testing.T) {
	for _, test := range []struct {
		name, want string
		permit     bool
		args       []any
	}{
		{"write", "the stream permits 0 bytes, and 1 are written", false, []any{0, 1}},
		{"write", "the stream permits 65536 bytes, and 65537 are written", true,
			[]any{0, 65537}},
		{"write-zeroes", "the stream permits 0 bytes, and 1 are written", false, []any{1}},
		{"write-zeroes", "the stream permits 65536 bytes, and 65537 zeroes are written", true,
			[]any{65537}},
		{"blocking-write-and-flush", "a blocking write takes 4096 bytes, and 4097 are written",
			true, []any{0, 4097}},
		{"blocking-write-zeroes-and-flush",
			"a blocking write takes 4096 bytes, and 4097 are written", true,
			[]any{uint64(1 << 63)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBothForms(t, func(t *testing.T, form func(*caller) *caller) {
				c := form(newCaller(t, system.Config{}))
				out := c.handle("cli/stdout.get-stdout")
				if test.permit {
					c.call(outStream+"check-write", out)
				}
				c.traps("wasi:"+outStream+test.name+": "+test.want, outStream+test.name,
					append([]any{out}, test.args...)...)
			})
		})
	}
}

// TestPermitIsForOneWrite checks that a second write needs a permit of its own.
func TestPermitIsForOneWrite(t *testing.T) {
	c := newCaller(t, system.Config{})
	out := c.handle("cli/stdout.get-stdout")
	c.call(outStream+"check-write", out)
	c.wants(`ok`, outStream+"write", out, 0, 1)
	c.traps("wasi:"+outStream+"write: the stream permits 0 bytes, and 1 are written",
		outStream+"write", out, 0, 1)
}

// TestWriteGoesOn fills a pipe. Its reader then gets all bytes without another call of the guest.
func TestWriteGoesOn(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(*caller) *caller) {
		r, w := newPipe(t)
		c := form(newCaller(t, system.Config{Stdout: w}))
		out := c.handle("cli/stdout.get-stdout")
		ready := c.handle(outStream+"subscribe", out)
		total := 0
		for range 4 { // a pipe takes 64 KiB (pipe(7))
			if c.call(outStream+"check-write", out) == "ok(0)" {
				break
			}
			c.wants(`ok`, outStream+"write", out, 0, maxPermit)
			total += maxPermit
		}
		c.wants(`ok(0)`, outStream+"check-write", out)
		c.wants(`ok`, outStream+"flush", out)
		c.wants(`false`, "io/poll.[method]pollable.ready", ready)
		c.traps("wasi:"+outStream+"write: the stream permits 0 bytes, and 1 are written",
			outStream+"write", out, 0, 1)
		if n, err := io.ReadFull(r, make([]byte, total)); err != nil {
			t.Errorf("got %d bytes, %v, want %d", n, err, total)
		}
		c.wants(``, "io/poll.[method]pollable.block", ready)
		c.wants(`ok(65536)`, outStream+"check-write", out)
	})
}

// TestOutputErrors closes the reader of a pipe and fails a writer of the embedder.
func TestOutputErrors(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(*caller) *caller) {
		t.Run("closed", func(t *testing.T) {
			r, w := newPipe(t)
			c := form(newCaller(t, system.Config{Stdout: w}))
			out := c.handle("cli/stdout.get-stdout")
			r.Close()
			c.wants(`err(closed)`, outStream+"blocking-write-and-flush", out, 0, 1)
			for _, name := range []string{"check-write", "flush", "blocking-flush"} {
				c.wants(`err(closed)`, outStream+name, out)
			}
			for _, name := range []string{"write", "blocking-write-and-flush"} {
				c.wants(`err(closed)`, outStream+name, out, 0, 1)
			}
			in := c.handle("cli/stdin.get-stdin")
			c.wants(`err(closed)`, outStream+"splice", out, in, 1)
			c.wants(`err(closed)`, outStream+"blocking-splice", out, in, 1)
			ready := c.handle(outStream+"subscribe", out)
			c.wants(`true`, "io/poll.[method]pollable.ready", ready)
		})
		t.Run("closed while pending", func(t *testing.T) {
			r, w := newPipe(t)
			c := form(newCaller(t, system.Config{Stdout: w}))
			out := c.handle("cli/stdout.get-stdout")
			for c.call(outStream+"check-write", out) != "ok(0)" {
				c.wants(`ok`, outStream+"write", out, 0, maxPermit)
			}
			r.Close()
			c.wants(`err(closed)`, outStream+"blocking-flush", out)
		})
		t.Run("failed", func(t *testing.T) {
			r, w := io.Pipe()
			r.CloseWithError(errors.New("a path of the host"))
			c := form(newCaller(t, system.Config{Stdout: w}))
			out := c.handle("cli/stdout.get-stdout")
			failed := c.handle0(outStream+"blocking-write-and-flush", out, 0, 1)
			c.wants(`"EIO"`, "io/error.[method]error.to-debug-string", failed)
			c.wants(`err(closed)`, outStream+"check-write", out)
			if err := c.drop("io/error.error", failed); err != nil {
				t.Errorf("got %v, want success", err)
			}
		})
	})
}

// TestEachCallTellsErrors has a write that goes on by itself fail, or a read. Whichever call comes
// next tells the error, and the one after that says that the stream is closed.
func TestEachCallTellsErrors(t *testing.T) {
	for _, test := range []struct {
		name string
		args func(in, out uint64) []any
	}{
		{inStream + "read", func(in, _ uint64) []any { return []any{in, 9} }},
		{inStream + "blocking-read", func(in, _ uint64) []any { return []any{in, 9} }},
		{inStream + "skip", func(in, _ uint64) []any { return []any{in, 9} }},
		{inStream + "blocking-skip", func(in, _ uint64) []any { return []any{in, 9} }},
		{outStream + "check-write", func(_, out uint64) []any { return []any{out} }},
		{outStream + "write", func(_, out uint64) []any { return []any{out, "x"} }},
		{outStream + "flush", func(_, out uint64) []any { return []any{out} }},
		{outStream + "blocking-flush", func(_, out uint64) []any { return []any{out} }},
		{outStream + "blocking-write-and-flush", func(_, out uint64) []any {
			return []any{out, "x"}
		}},
		{outStream + "write-zeroes", func(_, out uint64) []any { return []any{out, 1} }},
		{outStream + "blocking-write-zeroes-and-flush", func(_, out uint64) []any {
			return []any{out, 1}
		}},
		{outStream + "splice", func(in, out uint64) []any { return []any{out, in, 1} }},
		{outStream + "blocking-splice", func(in, out uint64) []any { return []any{out, in, 1} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBothForms(t, func(t *testing.T, form func(*caller) *caller) {
				c := form(newCaller(t, system.Config{Stdin: failingReader{}}))
				in, out := c.handle("cli/stdin.get-stdin"), c.handle("cli/stdout.get-stdout")
				c.wants(``, "io/poll.[method]pollable.block", c.handle(inStream+"subscribe", in))
				c.wants(`ok(65536)`, outStream+"check-write", out)
				pending := &c.outputs.items[0].pending
				pending.started, pending.err = true, syscall.EIO
				pending.ended.Set()
				failed := c.handle0(test.name, test.args(in, out)...)
				c.wants(`"EIO"`, "io/error.[method]error.to-debug-string", failed)
				c.wants(`err(closed)`, test.name, test.args(in, out)...)
			})
		})
	}
}

// TestSplice moves bytes from stdin to stdout.
func TestSplice(t *testing.T) {
	r, w := newPipe(t)
	var buf bytes.Buffer
	c := newCaller(t, system.Config{Stdin: r, Stdout: &buf})
	in, out := c.handle("cli/stdin.get-stdin"), c.handle("cli/stdout.get-stdout")
	c.wants(`ok(0)`, outStream+"splice", out, in, 100)
	go w.WriteString("hello")
	c.wants(`ok(5)`, outStream+"blocking-splice", out, in, uint64(1<<40))
	c.wants(`ok(0)`, outStream+"blocking-splice", out, in, 0)
	w.WriteString("world")
	// On Windows a goroutine reads the pipe.
	c.wants(``, "io/poll.[method]pollable.block", c.handle(inStream+"subscribe", in))
	c.wants(`ok(2)`, outStream+"splice", out, in, 2)
	c.wants(`ok(3)`, outStream+"splice", out, in, 9)
	w.Close()
	c.wants(`err(closed)`, outStream+"blocking-splice", out, in, 9)
	c.wants(`ok`, outStream+"blocking-flush", out)
	if buf.String() != "helloworld" {
		t.Errorf("got %q, want %q", buf.String(), "helloworld")
	}
}

// TestDropWaitsForPending drops a stream whose last bytes are not written, and then ends the guest
// in such a drop.
func TestDropWaitsForPending(t *testing.T) {
	fill := func(c *caller) (uint64, int) {
		out := c.handle("cli/stdout.get-stdout")
		total := 0
		for c.call(outStream+"check-write", out) != "ok(0)" {
			c.wants(`ok`, outStream+"write", out, 0, maxPermit)
			total += maxPermit
		}
		return out, total
	}
	t.Run("written", func(t *testing.T) {
		r, w := newPipe(t)
		c := newCaller(t, system.Config{Stdout: w})
		out, total := fill(c)
		read := make(chan int)
		go func() {
			n, _ := io.ReadFull(r, make([]byte, total))
			read <- n
		}()
		if err := c.drop("io/streams.output-stream", out); err != nil {
			t.Errorf("got %v, want success", err)
		}
		if n := <-read; n != total {
			t.Errorf("got %d bytes, want %d", n, total)
		}
	})
	t.Run("ended", func(t *testing.T) {
		_, w := newPipe(t)
		c := newCaller(t, system.Config{Stdout: w})
		out, _ := fill(c)
		ended := errors.New("ended")
		go c.Kill(ended)
		if err := c.drop("io/streams.output-stream", out); err != ended {
			t.Errorf("got %v, want %v", err, ended)
		}
	})
}
