//go:build unix

package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/wasport/wasport"
)

// Sections of a module with its functions' types and with their code (WebAssembly core
// specification, 5.5).
const (
	functionSection = 3
	codeSection     = 10
)

// enlarge returns a module with copies of its functions, but for the largest, which nothing calls,
// so that it has the size.
func enlarge(wasm []byte, size int) ([]byte, error) {
	extra := max(0, size-len(wasm))
	head, sections := wasm[:8], wasm[8:]
	var types, code vector
	for rest := sections; len(rest) > 0; {
		id, body, after, err := cutSection(rest)
		if err != nil {
			return nil, err
		}
		switch id {
		case functionSection:
			types = cutVector(body, func(b []byte) int { return leb128(b).length })
		case codeSection:
			code = cutVector(body, func(b []byte) int {
				n := leb128(b)
				return n.length + int(n.value)
			})
		}
		rest = after
	}
	var small []int // the others would take longer to compile than is allowed
	for i, c := range code {
		if len(c) < 2000 {
			small = append(small, i)
		}
	}
	if len(small) == 0 || len(types) != len(code) {
		return nil, errors.New("a module without functions cannot be enlarged")
	}
	for n := 0; extra > 0; n++ {
		i := small[n%len(small)]
		types, code = append(types, types[i]), append(code, code[i])
		extra -= len(code[i])
	}
	out := slices.Clone(head)
	for rest := sections; len(rest) > 0; {
		id, body, after, err := cutSection(rest)
		if err != nil {
			return nil, err
		}
		switch id {
		case functionSection:
			body = types.encode()
		case codeSection:
			body = code.encode()
		}
		out = append(binary.AppendUvarint(append(out, id), uint64(len(body))), body...)
		rest = after
	}
	return out, nil
}

// vector has the encoded elements of one (5.1.3).
type vector [][]byte

func cutVector(b []byte, length func([]byte) int) (v vector) {
	count := leb128(b)
	b = b[count.length:]
	for range count.value {
		n := length(b)
		v, b = append(v, b[:n]), b[n:]
	}
	return v
}

func (v vector) encode() []byte {
	return append(binary.AppendUvarint(nil, uint64(len(v))), slices.Concat(v...)...)
}

// number is an encoded one (5.2.2) with its length.
type number struct {
	value  uint64
	length int
}

func leb128(b []byte) number {
	v, n := binary.Uvarint(b)
	return number{v, n}
}

func cutSection(b []byte) (id byte, body, after []byte, err error) {
	size := leb128(b[1:])
	begin := 1 + size.length
	if size.length <= 0 || uint64(len(b)-begin) < size.value {
		return 0, nil, nil, errors.New("a section is longer than its module")
	}
	end := begin + int(size.value)
	return b[0], b[begin:end], b[end:], nil
}

// TestEnlarge runs a module with copies of its functions.
func TestEnlarge(t *testing.T) {
	hello, err := Modules.ReadFile("hello.wasm")
	if err != nil {
		t.Fatal(err)
	}
	wasm, err := enlarge(hello, 60_000)
	if err != nil || len(wasm) < 60_000 || len(wasm) > 80_000 {
		t.Fatalf("got %d bytes and error %v, want 60,000 and at most a function more", len(wasm),
			err)
	}
	g := newGuestHost(t, wasport.RuntimeConfig{Interpreter: true})
	m := g.compileModule(t, "enlarged", wasm)
	status, err := m.Run(context.Background(), wasport.Config{Policy: loopbackPolicy()})
	if err != nil || status.Code != 0 {
		t.Errorf("got status %d and error %v, want 0", status.Code, err)
	}
}
