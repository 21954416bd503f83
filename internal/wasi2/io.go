package wasi2

import (
	"encoding/binary"
	"errors"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/wasi"
)

var ioError = table{
	name:  "wasi:io/error",
	types: `resource error;`,
	drops: map[string]func(*Guest, uint32) error{
		"error": func(g *Guest, rep uint32) error { remove(g, &g.errors, rep); return nil },
	},
	rows: []row{
		{"[method]error.to-debug-string", "(self: borrow<error>) -> string", toDebugString, nil},
	},
}

var ioPoll = table{
	name:  "wasi:io/poll",
	types: `resource pollable;`,
	drops: map[string]func(*Guest, uint32) error{"pollable": (*Guest).dropPollable},
	rows: []row{
		{"[method]pollable.ready", "(self: borrow<pollable>) -> bool", pollableReady, directReady},
		{"[method]pollable.block", "(self: borrow<pollable>)", pollableBlock, directBlock},
		{"poll", "(in: list<borrow<pollable>>) -> list<u32>", pollList, directPoll},
	},
}

var ioStreams = table{
	name: "wasi:io/streams",
	uses: []use{{"wasi:io/error", []string{"error"}}, {"wasi:io/poll", []string{"pollable"}}},
	types: `
		variant stream-error { last-operation-failed(error), closed }
		resource input-stream;
		resource output-stream;`,
	drops: map[string]func(*Guest, uint32) error{
		"input-stream": func(g *Guest, rep uint32) error {
			remove(g, &g.inputs, rep).drop(g)
			return nil
		},
		"output-stream": func(g *Guest, rep uint32) error {
			return remove(g, &g.outputs, rep).drop(g)
		},
	},
	rows: []row{
		{"[method]input-stream.read",
			"(self: borrow<input-stream>, len: u64) -> result<list<u8>, stream-error>",
			streamRead((*input).read), directRead},
		{"[method]input-stream.blocking-read",
			"(self: borrow<input-stream>, len: u64) -> result<list<u8>, stream-error>",
			streamRead((*input).blockingRead), directBlockingRead},
		{"[method]input-stream.skip",
			"(self: borrow<input-stream>, len: u64) -> result<u64, stream-error>",
			streamSkip((*input).skip), nil},
		{"[method]input-stream.blocking-skip",
			"(self: borrow<input-stream>, len: u64) -> result<u64, stream-error>",
			streamSkip((*input).blockingSkip), nil},
		{"[method]input-stream.subscribe", "(self: borrow<input-stream>) -> pollable",
			subscribeInput, directSubscribeInput},

		{"[method]output-stream.check-write",
			"(self: borrow<output-stream>) -> result<u64, stream-error>",
			checkWrite, directCheckWrite},
		{"[method]output-stream.write",
			"(self: borrow<output-stream>, contents: list<u8>) -> result<_, stream-error>",
			streamWrite((*output).write), directWrite((*output).write)},
		{"[method]output-stream.blocking-write-and-flush",
			"(self: borrow<output-stream>, contents: list<u8>) -> result<_, stream-error>",
			streamWrite((*output).blockingWriteAndFlush),
			directWrite((*output).blockingWriteAndFlush)},
		{"[method]output-stream.flush",
			"(self: borrow<output-stream>) -> result<_, stream-error>",
			streamFlush((*output).flush), directFlush((*output).flush)},
		{"[method]output-stream.blocking-flush",
			"(self: borrow<output-stream>) -> result<_, stream-error>",
			streamFlush((*output).blockingFlush), directFlush((*output).blockingFlush)},
		{"[method]output-stream.subscribe", "(self: borrow<output-stream>) -> pollable",
			subscribeOutput, directSubscribeOutput},
		{"[method]output-stream.write-zeroes",
			"(self: borrow<output-stream>, len: u64) -> result<_, stream-error>",
			streamZeroes((*output).writeZeroes), nil},
		{"[method]output-stream.blocking-write-zeroes-and-flush",
			"(self: borrow<output-stream>, len: u64) -> result<_, stream-error>",
			streamZeroes((*output).blockingWriteZeroes), nil},
		{"[method]output-stream.splice", "(self: borrow<output-stream>, " +
			"src: borrow<input-stream>, len: u64) -> result<u64, stream-error>",
			streamSplice((*output).splice), nil},
		{"[method]output-stream.blocking-splice", "(self: borrow<output-stream>, " +
			"src: borrow<input-stream>, len: u64) -> result<u64, stream-error>",
			streamSplice((*output).blockingSplice), nil},
	},
}

func toDebugString(g *Guest, c *canon.Call) error {
	c.Return(canon.Text(g.errors.at(c.Arg(0).Rep()).text()))
	return nil
}

// text returns the name of the errno: an error of Go may have addresses and paths of the host.
func (f *failure) text() string { return wasi.ErrnoOf(f.err).String() }

func pollableReady(g *Guest, c *canon.Call) error {
	ready, err := g.ready(g.pollables.at(c.Arg(0).Rep()))
	c.Return(canon.Bool(ready))
	return err
}

func pollableBlock(g *Guest, c *canon.Call) error {
	return g.block(g.pollables.at(c.Arg(0).Rep()))
}

func pollList(g *Guest, c *canon.Call) error {
	in := c.Arg(0).Items()
	if len(in) > maxPolled {
		return tooManyPolled(len(in))
	}
	g.polled.reps = g.polled.reps[:0]
	for _, p := range in {
		g.polled.reps = append(g.polled.reps, p.Rep())
	}
	ready, err := g.poll()
	if err != nil {
		return err
	}
	list := make([]canon.Value, len(ready))
	for i, at := range ready {
		list[i] = canon.Uint(uint64(at))
	}
	g.ChargeGarbage(16 * (len(in) + len(list)))
	c.Return(canon.List(list))
	return nil
}

func tooManyPolled(n int) error {
	return trapf("the list has %d pollables, more than %d are not supported", n, maxPolled)
}

// isStreamError reports whether an error is one that the guest gets as a stream-error.
func (g *Guest) isStreamError(err error) bool {
	var trap *canon.Trap
	return g.Err() == nil && !errors.As(err, &trap)
}

// fail makes the error resource of an error.
func (g *Guest) fail(err error, of source) (rep uint32, _ error) {
	return put(g, &g.errors, &failure{err, of})
}

// returnStream returns ok, or the stream-error of err.
func (g *Guest) returnStream(c *canon.Call, of source, ok canon.Value, err error) error {
	switch {
	case err == nil:
		c.Return(ok)
		return nil
	case !g.isStreamError(err):
		return err
	case err == errClosed:
		c.Return(canon.Err(canon.Case(1)))
		return nil
	}
	rep, err := g.fail(err, of)
	c.Return(canon.Err(canon.CaseOf(0, canon.Rep(rep))))
	return err
}

func streamRead(read func(*input, *Guest, []byte) (int, error)) func(*Guest, *canon.Call) error {
	return func(g *Guest, c *canon.Call) error {
		s := g.inputs.at(c.Arg(0).Rep())
		b := g.room(c.Arg(1).Uint())
		n, err := read(s, g, b)
		g.ChargeGarbage(n)
		return g.returnStream(c, s.of, canon.OK(canon.Bytes(append([]byte(nil), b[:n]...))), err)
	}
}

func streamSkip(skip func(*input, *Guest, uint64) (uint64, error)) func(*Guest,
	*canon.Call) error {
	return func(g *Guest, c *canon.Call) error {
		s := g.inputs.at(c.Arg(0).Rep())
		n, err := skip(s, g, c.Arg(1).Uint())
		return g.returnStream(c, s.of, canon.OK(canon.Uint(n)), err)
	}
}

// returnPollable returns a new pollable of a resource.
func (g *Guest) returnPollable(c *canon.Call, of waitable) error {
	rep, err := g.subscribe(of, 0)
	c.Return(canon.Rep(rep))
	return err
}

func subscribeInput(g *Guest, c *canon.Call) error {
	return g.returnPollable(c, g.inputs.at(c.Arg(0).Rep()))
}

func subscribeOutput(g *Guest, c *canon.Call) error {
	return g.returnPollable(c, g.outputs.at(c.Arg(0).Rep()))
}

func checkWrite(g *Guest, c *canon.Call) error {
	s := g.outputs.at(c.Arg(0).Rep())
	n, err := s.checkWrite()
	return g.returnStream(c, s.of, canon.OK(canon.Uint(n)), err)
}

func streamWrite(write func(*output, *Guest, []byte) error) func(*Guest, *canon.Call) error {
	return func(g *Guest, c *canon.Call) error {
		s, b := g.outputs.at(c.Arg(0).Rep()), c.Arg(1).Bytes()
		g.ChargeGarbage(len(b))
		return g.returnStream(c, s.of, canon.Case(0), write(s, g, b))
	}
}

func streamFlush(flush func(*output, *Guest) error) func(*Guest, *canon.Call) error {
	return func(g *Guest, c *canon.Call) error {
		s := g.outputs.at(c.Arg(0).Rep())
		return g.returnStream(c, s.of, canon.Case(0), flush(s, g))
	}
}

func streamZeroes(write func(*output, *Guest, uint64) error) func(*Guest, *canon.Call) error {
	return func(g *Guest, c *canon.Call) error {
		s := g.outputs.at(c.Arg(0).Rep())
		return g.returnStream(c, s.of, canon.Case(0), write(s, g, c.Arg(1).Uint()))
	}
}

func streamSplice(splice func(*output, *Guest, *input, uint64) (uint64, error)) func(*Guest,
	*canon.Call) error {
	return func(g *Guest, c *canon.Call) error {
		s, src := g.outputs.at(c.Arg(0).Rep()), g.inputs.at(c.Arg(1).Rep())
		of, open := s.of, !src.closed
		n, err := splice(s, g, src, c.Arg(2).Uint())
		if open && src.closed { // the read has failed
			of = src.of
		}
		return g.returnStream(c, of, canon.OK(canon.Uint(n)), err)
	}
}

var le = binary.LittleEndian
