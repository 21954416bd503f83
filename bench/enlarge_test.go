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

// enlarge returns a module of at least a size: with copies of its smaller functions, which nothing
// calls.
func enlarge(wasm []byte, size int) ([]byte, error) {
	sections, err := cutSections(wasm[8:])
	if err != nil {
		return nil, err
	}
	var types, code vector
	for _, s := range sections {
		switch s.id {
		case functionSection:
			types = cutVector(s.body, func(b []byte) int { return leb128(b).length })
		case codeSection:
			code = cutVector(s.body, func(b []byte) int {
				n := leb128(b)
				return n.length + int(n.value)
			})
		}
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
	for n, extra := 0, size-len(wasm); extra > 0; n++ {
		i := small[n%len(small)]
		types, code = append(types, types[i]), append(code, code[i])
		extra -= len(code[i])
	}
	out := slices.Clone(wasm[:8])
	for _, s := range sections {
		switch s.id {
		case functionSection:
			s.body = types.encode()
		case codeSection:
			s.body = code.encode()
		}
		out = binary.AppendUvarint(append(out, s.id), uint64(len(s.body)))
		out = append(out, s.body...)
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

type section struct {
	id   byte
	body []byte
}

func cutSections(b []byte) (sections []section, err error) {
	for len(b) > 0 {
		size := leb128(b[1:])
		begin := 1 + size.length
		if size.length <= 0 || uint64(len(b)-begin) < size.value {
			return nil, errors.New("a section is longer than its module")
		}
		end := begin + int(size.value)
		sections, b = append(sections, section{b[0], b[begin:end]}), b[end:]
	}
	return sections, nil
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
