package wasi2

import (
	"context"
	"io"
	"testing"
)

// BenchmarkSocketCalls times the direct functions of the data path, with what the canonical ABI
// does for them.
func BenchmarkSocketCalls(b *testing.B) {
	f := families[0]
	c := newNetCaller(b, anyLoopback...)
	l, at := c.listen(f)
	conn := dial(b, at)
	go io.Copy(io.Discard, conn)
	_, _, out := c.accept(l)
	x, y := c.udpEnd(f, f.loopback), c.udpEnd(f, f.loopback)
	stack := make([]uint64, 18)
	call := func(b *testing.B, name string, args ...uint64) {
		l := c.lowered[name]
		if l == nil {
			l = c.lower(name)
		}
		copy(stack, args)
		if err := l.Call(context.Background(), stack); err != nil {
			b.Fatal(err)
		}
	}
	ptr, n := c.text(string(make([]byte, 1024)))
	datagrams, count := c.datagrams("x", y.at)
	for _, test := range []struct {
		name string
		run  func(b *testing.B)
	}{
		{"check-write", func(b *testing.B) { call(b, outStream+"check-write", out, resultAt) }},
		{"flush", func(b *testing.B) { call(b, outStream+"blocking-flush", out, resultAt) }},
		{"flush, check and write 1 KiB", func(b *testing.B) {
			call(b, outStream+"blocking-flush", out, resultAt)
			call(b, outStream+"check-write", out, resultAt)
			call(b, outStream+"write", out, ptr, n, resultAt)
		}},
		{"check-send", func(b *testing.B) { call(b, sending+"check-send", x.out, resultAt) }},
		{"check and send", func(b *testing.B) {
			call(b, sending+"check-send", x.out, resultAt)
			call(b, sending+"send", x.out, datagrams, count, resultAt)
		}},
		{"receive nothing", func(b *testing.B) {
			c.free = firstFree + 4096
			call(b, receiving+"receive", x.in, 1, resultAt)
		}},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				test.run(b)
			}
		})
	}
}
