// Package abi decodes the calls of guests: it knows, for each dialect, which functions there are,
// what their arguments mean, and how structures lie in guest memory. It validates pointers and
// enums, calls internal/system, and writes back what that says.
//
// A dialect is a table; a row has a name, a signature and a decoder. No decision beyond the
// decoding is taken here.
package abi

import (
	"context"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
)

// Function is a function that guests import.
type Function struct {
	Name    string
	Params  string // a letter a parameter: i = i32, I = i64
	Results string

	// how to print the arguments in a trace, a letter each; empty = the call is not traced. See
	// trace.go
	args   string
	decode func(*Thread, wasi.Memory, []uint64) wasi.Errno
}

// Named lists the functions that modules import under a name, which differ in their parameters. The
// same table answers for wasi_unstable, as in WAMR.
func Named(module, name string) []*Function { return modules[module][name] }

// Lookup finds a function by its name and the letters of its parameters and results.
func Lookup(module, name, params, results string) (*Function, bool) {
	for _, f := range Named(module, name) {
		if f.Params == params && f.Results == results {
			return f, true
		}
	}
	return nil, false
}

// Modules names the modules that functions can be imported from.
func Modules() []string { return slices.Sorted(maps.Keys(modules)) }

// Functions lists all functions by module, in the order of their names.
func Functions() map[string][]*Function {
	all := make(map[string][]*Function)
	for module, byName := range modules {
		for _, name := range slices.Sorted(maps.Keys(byName)) {
			all[module] = append(all[module], byName[name]...)
		}
	}
	return all
}

// table is the functions of a dialect.
type table struct {
	dialect   Dialect
	functions []Function
}

// preview1Tables are the tables of preview 1's module. No two rows have the same name and
// parameters.
var preview1Tables = []table{
	{Preview1, preview1}, {WAMR, wamr}, {WAMR, wamrOptions()},
	{WasmEdge, wasmEdge}, {WasmEdgeV1, wasmEdgeV1}, {WasmEdgeV2, wasmEdgeV2},
}

var extensionTables = []table{{Wasport, extension}}

var modules = func() map[string]map[string][]*Function {
	wasip1 := index(preview1Tables)
	return map[string]map[string][]*Function{
		"wasi_snapshot_preview1": wasip1,
		"wasi_unstable":          wasip1,
		"wasport_sockets":        index(extensionTables),
	}
}()

func index(tables []table) map[string][]*Function {
	m := make(map[string][]*Function)
	for _, t := range tables {
		for i := range t.functions {
			f := &t.functions[i]
			m[f.Name] = append(m[f.Name], f)
		}
	}
	return m
}

// dialects tells the dialect of each function.
var dialects = func() map[*Function]Dialect {
	m := make(map[*Function]Dialect)
	for _, t := range slices.Concat(preview1Tables, extensionTables) {
		for i := range t.functions {
			m[&t.functions[i]] = t.dialect
		}
	}
	return m
}()

// Thread is a thread of a guest as its calls see it.
type Thread struct {
	*system.Thread

	// Shared is the guest's memory as large as it may become, if its threads share it: a view from
	// the engine's own functions could be torn by another thread that makes the memory grow.
	Shared []byte

	bufs      [][]byte          // the iovecs of the call under way
	polled    []byte            // the subscriptions of the last poll_oneoff as they lay in memory
	interests []system.Interest // and decoded
	trace     *tracer
}

// NewThread prepares a thread's calls, which are reported to trace, a line each, unless that is
// nil.
func NewThread(t *system.Thread, trace io.Writer) *Thread {
	a := &Thread{Thread: t}
	if trace != nil {
		a.trace = &tracer{w: trace}
	}
	return a
}

// vectors decodes a list of iovecs; the result is valid until the next call of the thread.
func (t *Thread) vectors(m wasi.Memory, ptr, count uint64) (bufs [][]byte, total int,
	e wasi.Errno) {
	t.bufs, total, e = m.Vectors(t.bufs[:0], uint32(ptr), uint32(count))
	t.Work(total>>15 + len(t.bufs)>>6)
	return t.bufs, total, e
}

type threadKey struct{}

type threadContext struct {
	context.Context
	thread *Thread
}

func (c *threadContext) Value(key any) any {
	if key == (threadKey{}) {
		return c.thread
	}
	return c.Context.Value(key)
}

// WithThread is the context that the functions of a guest must be called with, for its imports to
// know whose they are.
func WithThread(ctx context.Context, t *Thread) context.Context {
	return &threadContext{ctx, t}
}

// ThreadOf is the thread whose function was called with the context; nil outside of guests.
func ThreadOf(ctx context.Context) *Thread {
	if c, ok := ctx.(*threadContext); ok { // the way of nearly every call, without a search
		return c.thread
	}
	t, _ := ctx.Value(threadKey{}).(*Thread)
	return t
}

// refusalGarbage is how many bytes the host allocates to refuse something, at most.
const refusalGarbage = 512

// Call is the function in the form that the engine calls. It panics, as the engine wants it, with
// the error that ended the guest.
func (f *Function) Call(ctx context.Context, mod api.Module, stack []uint64) {
	t := ThreadOf(ctx)
	if t == nil {
		panic(ErrNoThread)
	}
	e := f.protected(t, mod, stack)
	if e == wasi.EACCES {
		t.Garbage(refusalGarbage)
	}
	t.Work(1)
	if err := t.Err(); err != nil {
		panic(err)
	}
	if e == wasi.EBADF || e == wasi.ENOTDIR {
		t.noteLack(f, int32(stack[0]))
	}
	stack[0] = uint64(e)
}

// noteLack notes that a call failed for its first argument, a descriptor.
func (t *Thread) noteLack(f *Function, fd int32) {
	switch {
	case strings.HasPrefix(f.Name, "path_"):
		t.MissedPath()
	case f.Name == "fd_prestat_get":
		t.MissedPreopen(fd)
	case f.Name != "fd_close" && strings.HasPrefix(f.args, "f"):
		t.MissedFD(fd)
	}
}

// protected makes the call. If it panics, which is the doing of a network or a reader of the
// embedder's, that ends the guest.
func (f *Function) protected(t *Thread, mod api.Module, stack []uint64) (e wasi.Errno) {
	t.EnterCall(&f.Name)
	defer t.leave()
	m := t.Memory(mod)
	if t.trace == nil || f.args == "" {
		return f.decode(t, m, stack)
	}
	return t.trace.call(f, t, m, stack)
}

// leave is deferred by protected.
func (t *Thread) leave() {
	if r := recover(); r != nil {
		t.Panicked(outside.NewPanic(*t.Called(), r))
	}
	t.LeaveCall()
}

type callError string

func (e callError) Error() string { return string(e) }

// ErrNoThread is the error of a function of a guest that was called with a context which WithThread
// did not make.
const ErrNoThread = callError("called outside of a running guest")

// Memory is the guest's whole memory, in one piece.
func (t *Thread) Memory(mod api.Module) wasi.Memory {
	mem := mod.Memory()
	if mem == nil || reflect.ValueOf(mem).IsNil() { // wazero's way to say that there is none
		return nil
	}
	if t.Shared != nil {
		pages, _ := mem.Grow(0) // which, other than Size, is safe while others make it grow
		return t.Shared[:uint64(pages)<<16]
	}
	size := mem.Size()
	if size == 0 { // nothing yet, or 4 GiB, which does not fit the number
		if pages, ok := mem.Grow(0); !ok || pages == 0 {
			return nil
		}
		size = 1<<32 - 1
	}
	b, _ := mem.Read(0, size)
	return b
}
