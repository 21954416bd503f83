package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
)

// repeat returns n repetitions of a sequence of bytes.
func repeat(n int, code ...byte) []byte { return bytes.Repeat(code, n) }

// concat concatenates n items.
func concat(n int, item func(i int) []byte) (b []byte) {
	for i := range n {
		b = append(b, item(i)...)
	}
	return b
}

// nameOf returns a name, as a vector of bytes, that differs for each number.
func nameOf(i int) []byte { return appendBytes(nil, fmt.Appendf(nil, "name%d", i)) }

// voidType is the section of the type () -> ().
var voidType = section(1, []byte("\x01\x60\x00\x00"))

// nameSection is the custom section of names, with a content.
func nameSection(content []byte) []byte {
	return section(0, appendBytes(nil, []byte("name")), content)
}

// growingModules are modules with a variable number of items.
var growingModules = map[string]struct {
	items int
	make  func(n int) []byte
}{
	"imports": {250, func(n int) []byte {
		return slices.Concat(voidType, section(2, uvarint(uint64(n)), concat(n, func(i int) []byte {
			return slices.Concat(nameOf(0), nameOf(i), []byte{0, 0})
		})))
	}},
	"imports of one function": {1000, func(n int) []byte {
		one := slices.Concat(nameOf(0), nameOf(0), []byte{0, 0})
		return slices.Concat(voidType, section(2, uvarint(uint64(n)), bytes.Repeat(one, n)))
	}},
	"modules that are imported from": {120, func(n int) []byte {
		return slices.Concat(voidType, section(2, uvarint(uint64(n)), concat(n, func(i int) []byte {
			return slices.Concat(nameOf(i), nameOf(0), []byte{0, 0})
		})))
	}},
	"bad name sections": {4000, func(n int) []byte {
		return slices.Concat(functions(n, []byte{0, 0x0b}),
			bytes.Repeat(nameSection([]byte{2, 0x7f}), n))
	}},
	"exports": {10_000, func(n int) []byte {
		exports := concat(n, func(i int) []byte { return append(nameOf(i), 0, 0) })
		return slices.Concat(voidType, section(3, []byte{1, 0}),
			section(7, uvarint(uint64(n)), exports),
			section(10, []byte{1, 2, 0, 0x0b}))
	}},
	"types": {20_000, func(n int) []byte {
		return section(1, uvarint(uint64(n)), repeat(n, 0x60, 2, 0x7f, 0x7f, 1, 0x7f))
	}},
	"globals": {10_000, func(n int) []byte {
		return section(6, uvarint(uint64(n)), repeat(n, 0x7f, 1, 0x41, 0, 0x0b))
	}},
	"functions": {10_000, func(n int) []byte { return functions(n, []byte{0, 0x0b}) }},
	"functions with loops": {100, func(n int) []byte {
		return functions(n, []byte{0}, repeat(20, 3, 0x40, 0x0b), repeat(1000, 1), []byte{0x0b})
	}},
	"straight code": {20_000, func(n int) []byte {
		return functions(1, []byte{1, 1, 0x7f}, repeat(n, 0x20, 0, 0x41, 1, 0x6a, 0x21, 0),
			[]byte{0x0b})
	}},
	"custom sections": {20_000, func(n int) []byte {
		return concat(n, func(i int) []byte { return section(0, nameOf(i)) })
	}},
}

// localOp is an instruction on a local.
func localOp(op byte, i int) []byte { return append([]byte{op}, uvarint(uint64(i))...) }

// TestModuleTooLongToCompile compiles modules for which wazero would need minutes, or weeks.
func TestModuleTooLongToCompile(t *testing.T) {
	const (
		get, set             = 0x20, 0x21
		loop, void, brIf, op = 0x03, 0x40, 0x0d, 0x45
	)
	again := []byte{get, 0, brIf, 0, 0x0b}
	locals := func(n int) []byte {
		return slices.Concat([]byte{1}, uvarint(uint64(n)),
			[]byte{0x7f})
	}
	for name, wasm := range map[string][]byte{
		"4,000 empty loops": functions(1, []byte{0}, repeat(4000, loop, void, 0x0b), []byte{0x0b}),
		"nested loops": functions(1, locals(1), repeat(4000, loop, void),
			bytes.Repeat(again, 4000), []byte{0x0b}),
		"ifs": functions(1, locals(1), repeat(20_000, get, 0, 4, void, 0x0b), []byte{0x0b}),
		"blocks": functions(1, locals(1), repeat(20_000, 2, void, get, 0, brIf, 0, 0x0b),
			[]byte{0x0b}),
		"branches": functions(1, locals(1), repeat(20_000, get, 0, brIf, 0), []byte{0x0b}),
		"branch tables": functions(1, locals(1),
			repeat(10_000, 2, void, get, 0, 0x0e, 1, 0, 1, 0x0b), []byte{0x0b}),
		"locals across loops": functions(1, locals(501), repeat(500, loop, void),
			concat(500, func(i int) []byte {
				return slices.Concat(localOp(get, i+1), []byte{op}, localOp(set, i+1), again)
			}), concat(500, func(i int) []byte { return append(localOp(get, i+1), 0x1a) }),
			[]byte{0x0b}),
		"locals across ifs": functions(1, locals(4001), concat(4000, func(i int) []byte {
			return slices.Concat([]byte{get, 0, 4, void, 0x41, 1}, localOp(set, i+1), []byte{0x0b})
		}), concat(4000, func(i int) []byte { return append(localOp(get, i+1), 0x1a) }),
			[]byte{0x0b}),
		"in many functions": functions(100, []byte{0}, repeat(1000, loop, void, 0x0b),
			[]byte{0x0b}),
		"globals of functions": slices.Concat(voidType,
			section(3, uvarint(20_000), make([]byte, 20_000)),
			section(6, uvarint(20_000), repeat(20_000, 0x7f, 1, 0x41, 0, 0x0b)),
			section(10, uvarint(20_000), repeat(20_000, 2, 0, 0x0b))),
		"a megabyte": functions(1, []byte{0}, repeat(350_000, loop, void, 0x0b), []byte{0x0b}),
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			e, err := New(ctx, Config{})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close(ctx)
			m, err := e.Compile(ctx, slices.Concat(empty, wasm), CompileOptions{})
			if err == nil {
				m.Close(ctx)
			}
			if err == nil || !strings.Contains(err.Error(), "too long to compile") {
				t.Errorf("got %v, want an error that says it is too long to compile", err)
			}
		})
	}
}

// TestCompileWithEndedContext ends a context while wazero compiles a function that takes it some
// time.
func TestCompileWithEndedContext(t *testing.T) {
	ifs := repeat(1800, 0x20, 0, 4, 0x40, 0x0b)
	wasm := slices.Concat(empty, functions(1, []byte{1, 1, 0x7f}, ifs, []byte{0x0b}))
	compile := func(ctx context.Context) (time.Duration, error) {
		e, err := New(context.Background(), Config{})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		m, err := e.Compile(ctx, wasm, CompileOptions{})
		took := time.Since(start)
		if err == nil {
			m.Close(context.Background())
		}
		// The compilation may still run in the background.
		if err := e.Close(context.Background()); err != nil {
			t.Errorf("Close: got %v, want no error", err)
		}
		return took, err
	}
	reason := errors.New("enough")
	var took []time.Duration
	for range 5 {
		whole, err := compile(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeoutCause(context.Background(), whole/10, reason)
		cut, err := compile(ctx)
		cancel()
		if !errors.Is(err, reason) {
			t.Fatalf("got %v, want %v", err, reason)
		}
		if took = []time.Duration{whole, cut}; cut < whole/2 {
			break
		}
	}
	t.Logf("whole and cut: %v", took)
	if took[1] > took[0]/2 {
		t.Errorf("cut after a tenth of %v: got %v, want at most half", took[0], took[1])
	}

	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(reason)
	if _, err := compile(ctx); !errors.Is(err, reason) {
		t.Errorf("with a context that has ended: got %v, want %v", err, reason)
	}
}

// workersRuntime notes how many workers it is told to compile with.
type workersRuntime struct {
	wazero.Runtime
	workers []int
}

func (r *workersRuntime) CompileModule(ctx context.Context, binary []byte) (wazero.CompiledModule,
	error) {
	r.workers = append(r.workers, experimental.GetCompilationWorkers(ctx))
	return r.Runtime.CompileModule(ctx, binary)
}

// TestCompilesOnAllProcessors compiles a module. wazero takes one worker unless it is told another
// number.
func TestCompilesOnAllProcessors(t *testing.T) {
	const processors = 3
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
	ctx := context.Background()
	e, err := New(ctx, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(ctx)
	r := &workersRuntime{Runtime: e.runtime}
	e.runtime = r
	module := slices.Concat([]byte("\x00asm\x01\x00\x00\x00"), functions(1, []byte{0, 0x0b}))
	p, err := e.Compile(ctx, module, CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p.Close(ctx)
	if !slices.Equal(r.workers, []int{processors}) {
		t.Errorf("got calls with %v workers, want one with %d", r.workers, processors)
	}
}
