package wasi2

import (
	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/component/wit"
)

// The functions below are the direct forms of rows: see canon.HostFunc. None of them allocates.

func inputOf(g *Guest, c *canon.Call, stack []uint64) (*input, error) {
	rep, err := c.Self(stack)
	if err != nil {
		return nil, err
	}
	return g.inputs.at(rep), nil
}

func outputOf(g *Guest, c *canon.Call, stack []uint64) (*output, error) {
	rep, err := c.Self(stack)
	if err != nil {
		return nil, err
	}
	return g.outputs.at(rep), nil
}

// putStreamError writes err as the result of a function that returns result<_, stream-error> or one
// with another ok type, whose payload is at an offset. The caller has asked isStreamError.
func (g *Guest) putStreamError(c *canon.Call, of source, err error) error {
	if !g.isStreamError(err) {
		return err
	}
	typ := c.Func().Type.Result
	handle := uint32(0)
	if err != errClosed {
		rep, full := g.fail(err, of)
		if full != nil {
			return full
		}
		if handle, full = c.NewHandle(typ.Err().Case(0).Resource(), rep); full != nil {
			return full
		}
	}
	r := c.Result()
	r[0] = 1
	r = r[typ.PayloadOffset():]
	if r[0] = 1; err != errClosed {
		r[0] = 0
		le.PutUint32(r[typ.Err().PayloadOffset():], handle)
	}
	return nil
}

// putDone writes the result of a function that returns result<_, stream-error>.
func (g *Guest) putDone(c *canon.Call, of source, err error) error {
	if err != nil {
		return g.putStreamError(c, of, err)
	}
	c.Result()[0] = 0
	return nil
}

func directRead(g *Guest, c *canon.Call, stack []uint64) error {
	s, err := inputOf(g, c, stack)
	if err != nil {
		return err
	}
	return g.readInto(c, s, stack[1], (*input).read)
}

func directBlockingRead(g *Guest, c *canon.Call, stack []uint64) error {
	s, err := inputOf(g, c, stack)
	if err != nil {
		return err
	}
	if stack[1] > smallRead && s.of == ofSocket {
		// For many bytes the system is asked how many there are, so they must be there before.
		if available, err := s.available(g); err == nil && available == 0 {
			if err := s.await(g); err != nil {
				return g.putStreamError(c, s.of, err)
			}
		}
	}
	return g.readInto(c, s, stack[1], (*input).blockingRead)
}

// readInto reads up to length bytes into memory that the guest allocates, which must have the exact
// size. The system knows how many bytes a socket has, and nobody else reads them. Few bytes that
// were not read ahead, and those of other inputs, go through a buffer.
func (g *Guest) readInto(c *canon.Call, s *input, length uint64,
	read func(*input, *Guest, []byte) (int, error)) error {
	want := min(length, maxRead)
	switch {
	case s.of != ofSocket || want == 0:
	case want <= smallRead:
		if uint64(s.ahead(g)) >= want {
			return g.readInPlace(c, s, uint32(want))
		}
	default:
		available, err := s.available(g)
		if err == nil && available > smallRead {
			return g.readInPlace(c, s, uint32(min(want, uint64(available))))
		}
		want = smallRead // the read tells of an error
	}
	b := g.room(want)
	n, err := read(s, g, b)
	if err != nil {
		return g.putStreamError(c, s.of, err)
	}
	ptr, err := c.Realloc(1, uint32(n))
	if err != nil {
		return err
	}
	copy(c.View()[ptr:], b[:n])
	putList(c, ptr, uint32(n))
	return nil
}

// readInPlace reads n bytes, which are known to be there.
func (g *Guest) readInPlace(c *canon.Call, s *input, n uint32) error {
	ptr, err := c.Realloc(1, n)
	if err != nil {
		return err
	}
	got, err := s.read(g, c.View()[ptr:][:n])
	if err != nil {
		return g.putStreamError(c, s.of, err)
	}
	g.ChargeSteps(got >> 15)
	putList(c, ptr, uint32(got))
	return nil
}

// putList writes a list as the ok value of a result.
func putList(c *canon.Call, ptr, n uint32) {
	r := c.Result()
	r[0] = 0
	r = r[c.Func().Type.Result.PayloadOffset():]
	le.PutUint32(r, ptr)
	le.PutUint32(r[4:], n)
}

func directCheckWrite(g *Guest, c *canon.Call, stack []uint64) error {
	s, err := outputOf(g, c, stack)
	if err != nil {
		return err
	}
	n, err := s.checkWrite()
	if err != nil {
		return g.putStreamError(c, s.of, err)
	}
	r := c.Result()
	r[0] = 0
	le.PutUint64(r[c.Func().Type.Result.PayloadOffset():], n)
	return nil
}

func directWrite(write func(*output, *Guest, []byte) error) func(*Guest, *canon.Call,
	[]uint64) error {
	return func(g *Guest, c *canon.Call, stack []uint64) error {
		s, err := outputOf(g, c, stack)
		if err != nil {
			return err
		}
		b, err := c.Bytes(uint32(stack[1]), uint32(stack[2]))
		if err != nil {
			return err
		}
		g.ChargeSteps(len(b) >> 15)
		g.written = s
		return g.putDone(c, s.of, write(s, g, b))
	}
}

func directFlush(flush func(*output, *Guest) error) func(*Guest, *canon.Call, []uint64) error {
	return func(g *Guest, c *canon.Call, stack []uint64) error {
		s, err := outputOf(g, c, stack)
		if err != nil {
			return err
		}
		return g.putDone(c, s.of, flush(s, g))
	}
}

func directSubscribeInput(g *Guest, c *canon.Call, stack []uint64) error {
	s, err := inputOf(g, c, stack)
	if err != nil {
		return err
	}
	return g.putPollable(c, stack, s)
}

func directSubscribeOutput(g *Guest, c *canon.Call, stack []uint64) error {
	s, err := outputOf(g, c, stack)
	if err != nil {
		return err
	}
	return g.putPollable(c, stack, s)
}

// putPollable returns a new pollable of a resource.
func (g *Guest) putPollable(c *canon.Call, stack []uint64, of waitable) error {
	rep, err := g.subscribe(of, 0)
	if err != nil {
		return err
	}
	handle, err := c.NewHandle(c.Func().Type.Result.Resource(), rep)
	stack[0] = uint64(handle)
	return err
}

func directReady(g *Guest, c *canon.Call, stack []uint64) error {
	rep, err := c.Self(stack)
	if err != nil {
		return err
	}
	ready, err := g.ready(g.pollables.at(rep))
	if stack[0] = 0; ready {
		stack[0] = 1
	}
	return err
}

func directBlock(g *Guest, c *canon.Call, stack []uint64) error {
	rep, err := c.Self(stack)
	if err != nil {
		return err
	}
	return g.block(g.pollables.at(rep))
}

func directPoll(g *Guest, c *canon.Call, stack []uint64) error {
	n := uint32(stack[1])
	list, err := c.List(uint32(stack[0]), n, 4, 4)
	if err != nil {
		return err
	}
	if n > maxPolled {
		return tooManyPolled(int(n))
	}
	if err := g.polledHandles(c, list, c.Func().Type.Params[0].Type.Elem().Resource()); err != nil {
		return err
	}
	ready, err := g.poll()
	if err != nil {
		return err
	}
	ptr, err := c.Realloc(4, uint32(4*len(ready)))
	if err != nil {
		return err
	}
	out := c.View()[ptr:]
	for i, at := range ready {
		le.PutUint32(out[4*i:], at)
	}
	r := c.Result()
	le.PutUint32(r, ptr)
	le.PutUint32(r[4:], uint32(len(ready)))
	return nil
}

// polledHandles looks up the handles of a list.
func (g *Guest) polledHandles(c *canon.Call, list []byte, pollable *wit.Resource) error {
	g.polled.reps = g.polled.reps[:0]
	for ; len(list) > 0; list = list[4:] {
		rep, err := c.Handle(le.Uint32(list), pollable)
		if err != nil {
			return err
		}
		g.polled.reps = append(g.polled.reps, rep)
	}
	return nil
}
