package canon_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/component/canon/canontest"
	"github.com/wasport/wasport/internal/component/wit"
)

// stream is a resource of a host with the functions that need direct forms: it keeps what was
// written and gives it back.
type stream struct{ data []byte }

type pathHost struct {
	scope   wit.Scope
	streams []stream
	drop    *canon.HostResource
	open    *canon.HostFunc
	write   *canon.HostFunc
	read    *canon.HostFunc
	count   *canon.HostFunc
}

var errUnknown = errors.New("no such stream")

func newPathHost(t testing.TB) *pathHost {
	t.Helper()
	h := &pathHost{}
	if err := h.scope.Define(benchTypes); err != nil {
		t.Fatal(err)
	}
	r := h.scope.Resource("stream")
	h.drop = &canon.HostResource{Type: r, Drop: func(host any, rep uint32) error {
		host.(*pathHost).streams[rep].data = nil
		return nil
	}}
	self := func(c *canon.Call, rep uint32) (*stream, error) {
		streams := c.Host().(*pathHost).streams
		if int(rep) >= len(streams) {
			return nil, errUnknown
		}
		return &streams[rep], nil
	}
	byHandle := func(c *canon.Call, stack []uint64) (*stream, error) {
		rep, err := c.Handle(uint32(stack[0]), r)
		if err != nil {
			return nil, err
		}
		return self(c, rep)
	}
	h.open = &canon.HostFunc{Name: "open", Type: mustFunc(t, &h.scope, "() -> stream"),
		Generic: func(c *canon.Call) error {
			h := c.Host().(*pathHost)
			h.streams = append(h.streams, stream{})
			c.Return(canon.Rep(uint32(len(h.streams) - 1)))
			return nil
		},
		Direct: func(c *canon.Call, stack []uint64) error {
			h := c.Host().(*pathHost)
			h.streams = append(h.streams, stream{})
			handle, err := c.NewHandle(r, uint32(len(h.streams)-1))
			stack[0] = uint64(handle)
			return err
		}}
	h.write = &canon.HostFunc{Name: "write",
		Type: mustFunc(t, &h.scope,
			"(self: borrow<stream>, b: list<u8>) -> result<_, stream-error>"),
		Generic: func(c *canon.Call) error {
			s, err := self(c, c.Arg(0).Rep())
			if err != nil {
				return err
			}
			if len(s.data)+len(c.Arg(1).Bytes()) > 64 {
				c.Return(canon.Err(canon.Case(1)))
				return nil
			}
			s.data = append(s.data, c.Arg(1).Bytes()...)
			return nil
		},
		Direct: func(c *canon.Call, stack []uint64) error {
			s, err := byHandle(c, stack)
			if err != nil {
				return err
			}
			b, err := c.Bytes(uint32(stack[1]), uint32(stack[2]))
			if err != nil {
				return err
			}
			out := c.Result()
			if len(s.data)+len(b) > 64 {
				out[0], out[4] = 1, 1
				return nil
			}
			s.data = append(s.data, b...)
			out[0] = 0
			return nil
		}}
	h.read = &canon.HostFunc{Name: "read",
		Type: mustFunc(t, &h.scope,
			"(self: borrow<stream>, len: u64) -> result<list<u8>, stream-error>"),
		Generic: func(c *canon.Call) error {
			s, err := self(c, c.Arg(0).Rep())
			if err != nil {
				return err
			}
			n := int(min(c.Arg(1).Uint(), uint64(len(s.data))))
			c.Return(canon.OK(canon.Bytes(s.data[:n])))
			return nil
		},
		Direct: func(c *canon.Call, stack []uint64) error {
			s, err := byHandle(c, stack)
			if err != nil {
				return err
			}
			n := uint32(min(stack[1], uint64(len(s.data))))
			ptr, err := c.Realloc(1, n)
			if err != nil {
				return err
			}
			copy(c.View()[ptr:], s.data[:n])
			out := c.Result()
			out[0] = 0
			binary.LittleEndian.PutUint32(out[4:], ptr)
			binary.LittleEndian.PutUint32(out[8:], n)
			return nil
		}}
	h.count = &canon.HostFunc{Name: "count",
		Type: mustFunc(t, &h.scope, "(self: borrow<stream>) -> u64"),
		Generic: func(c *canon.Call) error {
			s, err := self(c, c.Arg(0).Rep())
			if err == nil {
				c.Return(canon.Uint(uint64(len(s.data))))
			}
			return err
		},
		Direct: func(c *canon.Call, stack []uint64) error {
			s, err := byHandle(c, stack)
			if err == nil {
				stack[0] = uint64(len(s.data))
			}
			return err
		}}
	return h
}

// TestGenericAndDirectAgree makes the same calls by both forms and compares results, errors and the
// memory of the guests.
func TestGenericAndDirectAgree(t *testing.T) {
	var transcripts [2][]string
	for i := range transcripts {
		h := newPathHost(t)
		g := canontest.New(h)
		say := func(f *canon.HostFunc, args ...canon.Value) {
			call := g.Call
			if i == 1 {
				call = g.CallGeneric
			}
			v, err := call(f, args...)
			text := fmt.Sprint(f.Name, ": ", err)
			if err == nil && f.Type.Result != nil {
				text += " " + canon.Print(f.Type.Result, v)
			}
			transcripts[i] = append(transcripts[i], text)
		}
		one, two := canon.Uint(1), canon.Uint(2)
		say(h.open)
		say(h.open)
		say(h.write, one, canon.Bytes([]byte("hello")))
		say(h.write, two, canon.Bytes(nil))
		say(h.write, one, canon.Bytes(make([]byte, 60)))
		say(h.read, one, canon.Uint(3))
		say(h.read, one, canon.Uint(1<<40))
		say(h.read, two, canon.Uint(9))
		say(h.count, one)
		say(h.count, canon.Uint(3))
		say(h.write, canon.Uint(0), canon.Bytes(nil))
		if err := g.Drop(h.drop, one); err != nil {
			t.Fatal(err)
		}
		say(h.count, one)
		say(h.open)
		transcripts[i] = append(transcripts[i], fmt.Sprintf("memory %x", g.Memory.Bytes[:512]))
	}
	for i, direct := range transcripts[0] {
		if generic := transcripts[1][i]; direct != generic {
			t.Errorf("call %d: got %s by the direct form, want %s as by the generic one", i,
				direct, generic)
		}
	}
	for i, want := range []string{"open: <nil> 1", "open: <nil> 2", "write: <nil> ok",
		"write: <nil> ok", "write: <nil> error(closed)", `read: <nil> ok("hel")`,
		`read: <nil> ok("hello")`, `read: <nil> ok("")`, "count: <nil> 5",
		"count: there is no handle 3, where one of stream is wanted",
		"write: there is no handle 0, where one of stream is wanted",
		"count: there is no handle 1, where one of stream is wanted", "open: <nil> 1"} {
		if got := transcripts[0][i]; got != want {
			t.Errorf("call %d: got %s, want %s", i, got, want)
		}
	}
}

func TestDirectCallsDoNotAllocate(t *testing.T) {
	h := newPathHost(t)
	h.streams = append(make([]stream, 0, 10_000), stream{data: make([]byte, 0, 1<<20)})
	g := canontest.New(h)
	if _, err := g.Call(h.open); err != nil {
		t.Fatal(err)
	}
	row, _ := canon.LookupBuiltin(0x03)
	drop := canon.Builtin{Row: row, Instance: g.Instance,
		Resource: &canon.Resource{Type: h.drop.Type, Host: h.drop}}
	stack := make([]uint64, 4)
	for _, step := range []struct {
		name string
		f    *canon.HostFunc
		args []uint64
	}{
		{"write", h.write, []uint64{1, 4096, 0, 128}},
		{"read", h.read, []uint64{1, 8, 128}},
		{"count", h.count, []uint64{1}},
		{"open and drop", h.open, nil},
	} {
		sig, err := canon.NewSignature(step.f.Type)
		if err != nil {
			t.Fatal(err)
		}
		options := g.Options()
		options.Realloc = fixedRealloc{}
		l := &canon.Lowered{Signature: sig, Options: options, Host: step.f}
		ctx := t.Context()
		got := testing.AllocsPerRun(100, func() {
			copy(stack, step.args)
			if err := l.Call(ctx, stack); err != nil {
				t.Fatal(err)
			}
			if step.f == h.open {
				if err := drop.Call(ctx, stack); err != nil {
					t.Fatal(err)
				}
			}
		})
		if got != 0 {
			t.Errorf("%s: got %v allocations, want 0", step.name, got)
		}
	}
}
