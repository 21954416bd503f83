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
	decode func(*Caller, wasi.MemoryView, []uint64) wasi.Errno
}

// Overloads lists the functions that modules import under a name, which differ in their parameters.
// The same table answers for wasi_unstable, as in WAMR.
func Overloads(module, name string) []*Function { return modules[module][name] }

// Lookup finds a function by its name and the letters of its parameters and results.
func Lookup(module, name, params, results string) (*Function, bool) {
	for _, f := range Overloads(module, name) {
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

// Caller is a thread of a guest as its calls see it.
type Caller struct {
	*system.Thread

	// Shared is the guest's memory as large as it may become, if its threads share it: a view from
	// the engine's own functions could be torn by another thread that makes the memory grow.
	Shared []byte

	iovecs [][]byte // the iovecs of the call under way
	// the subscriptions of the last poll_oneoff as they lay in memory
	lastSubscriptions []byte
	subscriptions     []system.Subscription // and decoded
	trace             *tracer
}

// NewCaller prepares a thread's calls, which are reported to trace, a line each, unless that is
// nil.
func NewCaller(t *system.Thread, trace io.Writer) *Caller {
	c := &Caller{Thread: t}
	if trace != nil {
		c.trace = &tracer{w: trace}
	}
	return c
}

// decodeIovecs decodes a list of iovecs; the result is valid until the next call of the thread.
func (c *Caller) decodeIovecs(m wasi.MemoryView, ptr, count uint64) (bufs [][]byte, total int,
	e wasi.Errno) {
	c.iovecs, total, e = m.Vectors(c.iovecs[:0], uint32(ptr), uint32(count))
	c.Work(total>>15 + len(c.iovecs)>>6)
	return c.iovecs, total, e
}

type callerKey struct{}

type callerContext struct {
	context.Context
	caller *Caller
}

func (c *callerContext) Value(key any) any {
	if key == (callerKey{}) {
		return c.caller
	}
	return c.Context.Value(key)
}

// WithCaller is the context that the functions of a guest must be called with, for its imports to
// know whose they are.
func WithCaller(ctx context.Context, c *Caller) context.Context {
	return &callerContext{ctx, c}
}

// CallerOf is the thread whose function was called with the context; nil outside of guests.
func CallerOf(ctx context.Context) *Caller {
	if c, ok := ctx.(*callerContext); ok { // the way of nearly every call, without a search
		return c.caller
	}
	c, _ := ctx.Value(callerKey{}).(*Caller)
	return c
}

// refusalGarbage is how many bytes the host allocates to refuse something, at most.
const refusalGarbage = 512

// Call is the function in the form that the engine calls. It panics, as the engine wants it, with
// the error that ended the guest.
func (f *Function) Call(ctx context.Context, mod api.Module, stack []uint64) {
	c := CallerOf(ctx)
	if c == nil {
		panic(ErrNoCaller)
	}
	e := f.callProtected(c, mod, stack)
	if e == wasi.EACCES {
		c.Garbage(refusalGarbage)
	}
	c.Work(1)
	if err := c.Err(); err != nil {
		panic(err)
	}
	if e == wasi.EBADF || e == wasi.ENOTDIR {
		c.noteLack(f, int32(stack[0]))
	}
	stack[0] = uint64(e)
}

// noteLack notes that a call failed for its first argument, a descriptor.
func (c *Caller) noteLack(f *Function, fd int32) {
	switch {
	case strings.HasPrefix(f.Name, "path_"):
		c.NotePathFailed()
	case f.Name == "fd_prestat_get":
		c.NoteNotPreopen(fd)
	case f.Name != "fd_close" && strings.HasPrefix(f.args, "f"):
		c.NoteBadFD(fd)
	}
}

// callProtected makes the call. If it panics, which is the doing of a network or a reader of the
// embedder's, that ends the guest.
func (f *Function) callProtected(c *Caller, mod api.Module, stack []uint64) (e wasi.Errno) {
	c.EnterCall(&f.Name)
	defer c.finishCall()
	m := c.Memory(mod)
	if c.trace == nil || f.args == "" {
		return f.decode(c, m, stack)
	}
	return c.trace.call(f, c, m, stack)
}

// finishCall is deferred by protected.
func (c *Caller) finishCall() {
	if r := recover(); r != nil {
		c.KillForPanic(outside.NewPanic(*c.CurrentImport(), r))
	}
	c.LeaveCall()
}

type callError string

func (e callError) Error() string { return string(e) }

// ErrNoCaller is the error of a function of a guest that was called with a context which WithThread
// did not make.
const ErrNoCaller = callError("called outside of a running guest")

// Memory is the guest's whole memory, in one piece.
func (c *Caller) Memory(mod api.Module) wasi.MemoryView {
	mem := mod.Memory()
	if mem == nil || reflect.ValueOf(mem).IsNil() { // wazero's way to say that there is none
		return nil
	}
	if c.Shared != nil {
		pages, _ := mem.Grow(0) // which, other than Size, is safe while others make it grow
		return c.Shared[:uint64(pages)<<16]
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
