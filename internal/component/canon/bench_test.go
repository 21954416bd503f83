package canon_test

import (
	"context"
	"testing"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/component/canon/canontest"
	"github.com/wasport/wasport/internal/component/wit"
)

const benchTypes = `
	resource socket; resource stream; resource error;
	variant stream-error { last-operation-failed(error), closed }
	type ipv4-address = tuple<u8, u8, u8, u8>;
	type ipv6-address = tuple<u16, u16, u16, u16, u16, u16, u16, u16>;
	record ipv4-socket-address { port: u16, address: ipv4-address }
	record ipv6-socket-address {
		port: u16, flow-info: u32, address: ipv6-address, scope-id: u32,
	}
	variant ip-socket-address { ipv4(ipv4-socket-address), ipv6(ipv6-socket-address) }
	enum error-code { unknown, access-denied }
`

// BenchmarkLoweredCall measures the overhead of a call of a host function, without that of the
// engine.
func BenchmarkLoweredCall(b *testing.B) {
	s := &wit.Scope{}
	if err := s.Define(benchTypes); err != nil {
		b.Fatal(err)
	}
	stream := s.Resource("stream")
	for _, row := range []struct {
		name, signature string
		generic         func(*canon.Call) error
		direct          func(*canon.Call, []uint64) error
		flat            []uint64
	}{
		{"direct/write", "(self: borrow<stream>, b: list<u8>) -> result<_, stream-error>", nil,
			func(c *canon.Call, stack []uint64) error {
				if _, err := c.Handle(uint32(stack[0]), stream); err != nil {
					return err
				}
				if _, err := c.Bytes(uint32(stack[1]), uint32(stack[2])); err != nil {
					return err
				}
				c.Result()[0] = 0
				return nil
			}, []uint64{1, 4096, 64, 128}},
		{"direct/read", "(self: borrow<stream>, n: u64) -> result<list<u8>, stream-error>", nil,
			func(c *canon.Call, stack []uint64) error {
				if _, err := c.Handle(uint32(stack[0]), stream); err != nil {
					return err
				}
				ptr, err := c.Realloc(1, 64)
				if err != nil {
					return err
				}
				out := c.Result()
				out[0], out[4], out[8] = 0, byte(ptr), 64
				return nil
			}, []uint64{1, 64, 128}},
		{"generic/write", "(self: borrow<stream>, b: list<u8>) -> result<_, stream-error>",
			func(c *canon.Call) error {
				c.Return(canon.Case(0))
				return nil
			}, nil, []uint64{1, 4096, 64, 128}},
		{"generic/bind", "(self: borrow<stream>, a: ip-socket-address) -> result<_, error-code>",
			func(c *canon.Call) error {
				c.Return(canon.Case(0))
				return nil
			}, nil, []uint64{1, 1, 80, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 128}},
		{"generic/remote-address", "(self: borrow<stream>) -> result<ip-socket-address>",
			func(c *canon.Call) error {
				c.Return(canon.OK(canon.CaseOf(0, canon.Tuple(canon.Uint(80), canon.Tuple(
					canon.Uint(127), canon.Uint(0), canon.Uint(0), canon.Uint(1))))))
				return nil
			}, nil, []uint64{1, 128}},
	} {
		b.Run(row.name, func(b *testing.B) {
			f, err := s.Func(row.signature)
			if err != nil {
				b.Fatal(err)
			}
			sig, err := canon.NewSignature(f)
			if err != nil {
				b.Fatal(err)
			}
			g := canontest.New(nil)
			own := &canon.HostFunc{Name: "new", Type: &wit.Func{Result: wit.Own(stream)},
				Generic: func(c *canon.Call) error { return nil }}
			if _, err := g.Call(own); err != nil {
				b.Fatal(err)
			}
			options := g.Options()
			options.Realloc = fixedRealloc{}
			l := &canon.Lowered{Signature: sig, Options: options, Host: &canon.HostFunc{
				Name: row.name, Type: f, Generic: row.generic, Direct: row.direct}}
			ctx := context.Background()
			stack := make([]uint64, len(row.flat))
			b.ReportAllocs()
			for b.Loop() {
				copy(stack, row.flat)
				if err := l.Call(ctx, stack); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type fixedRealloc struct{}

func (fixedRealloc) Call(_ context.Context, stack []uint64) error {
	stack[0] = 8192
	return nil
}
