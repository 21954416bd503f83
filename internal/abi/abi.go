// Package abi decodes the calls that guests make to their imports: which functions each dialect
// has, what their arguments mean, and how structures lie in guest memory.
//
// A dialect is a table of functions; a row has a name, a signature and a decoder. A decoder checks
// pointers and enumerations, calls internal/system, and writes the results back. It takes no other
// decision: the semantics of the calls are in internal/system, sizes and numbers in internal/wasi.
//
// Pointers are checked before a call has any effect, so that EFAULT means that nothing was done. A
// structure is copied out of guest memory once and checked in the copy, since another thread of the
// guest may change it at any time.
//
// Concurrency. The tables never change. A Caller is used by one goroutine at a time. There are no
// locks.
package abi

import (
	"context"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// Function is a function that guests can import.
type Function struct {
	row

	// sends tells that the call is one of those that system.Thread.EnterSend is for.
	sends bool
}

// row is a Function in the table of its dialect.
type row struct {
	Name string

	// Params and Results have a letter for each value: i = i32, I = i64.
	Params  string
	Results string

	// args tells how a trace prints the arguments, a letter each; see tracer. If it is empty, the
	// call is not traced.
	args   string
	decode func(*Caller, wasi.MemoryView, []uint64) wasi.Errno
}

// Overloads returns the functions with a module and a name. They differ in their parameters. As in
// WAMR, wasi_unstable has the same functions as wasi_snapshot_preview1.
func Overloads(module, name string) []*Function { return modules[module][name] }

// OverloadedNames lists, a line each, the names with several functions in the modules that include
// accepts.
func OverloadedNames(include func(module string) bool) string {
	var names []string
	for module, byName := range modules {
		if !include(module) {
			continue
		}
		for name, functions := range byName {
			if len(functions) > 1 {
				names = append(names, module+"."+name+"\n")
			}
		}
	}
	slices.Sort(names)
	return strings.Join(names, "")
}

// Lookup finds a function by its names and the letters of its parameters and results.
func Lookup(module, name, params, results string) (*Function, bool) {
	for _, f := range Overloads(module, name) {
		if f.Params == params && f.Results == results {
			return f, true
		}
	}
	return nil, false
}

// Modules returns the names of the modules that have functions.
func Modules() []string { return slices.Sorted(maps.Keys(modules)) }

// Functions returns all functions by module, sorted by name.
func Functions() map[string][]*Function {
	all := make(map[string][]*Function)
	for module, byName := range modules {
		for _, name := range slices.Sorted(maps.Keys(byName)) {
			all[module] = append(all[module], byName[name]...)
		}
	}
	return all
}

// table holds the functions of a dialect.
type table struct {
	dialect   Dialect
	functions []*Function
}

// sendNames are those of the functions that have no effect but a send or a write.
var sendNames = []string{"fd_write", "sock_send", "sock_send_v2", "sock_send_to",
	"sock_send_to_v2", "sock_send_msg", "sock_send_control"}

func newTable(d Dialect, rows []row) table {
	t := table{dialect: d}
	for _, r := range rows {
		t.functions = append(t.functions, &Function{r, slices.Contains(sendNames, r.Name)})
	}
	return t
}

// preview1Tables are the tables of wasi_snapshot_preview1. No two rows have the same name and
// parameters.
var preview1Tables = []table{
	newTable(Preview1, preview1), newTable(WAMR, wamr), newTable(WAMR, wamrOptions()),
	newTable(WasmEdge, wasmEdge), newTable(WasmEdgeV1, wasmEdgeV1),
	newTable(WasmEdgeV2, wasmEdgeV2),
}

var extensionTables = []table{
	newTable(Wasport, extension), newTable(Wasport, ipc), newTable(Wasport, unixSockets),
}

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
		for _, f := range t.functions {
			m[f.Name] = append(m[f.Name], f)
		}
	}
	return m
}

// dialects maps each function to its dialect. Few modules that run need it.
var dialects = sync.OnceValue(func() map[*Function]Dialect {
	m := make(map[*Function]Dialect)
	for _, t := range slices.Concat(preview1Tables, extensionTables) {
		for _, f := range t.functions {
			m[f] = t.dialect
		}
	}
	return m
})

// Caller is a thread of a guest with the state of its calls.
type Caller struct {
	*system.Thread

	// Shared is the guest's memory at its maximum size, if threads share it; else nil. The slice
	// that the engine returns for the current size could be torn while another thread grows the
	// memory.
	Shared []byte

	// module is the instance of the last call, and linear its memory; nil if it has none. An
	// instance never gets another memory. view is the whole of it at the last call.
	module api.Module
	linear api.Memory
	view   wasi.MemoryView

	// iovecs are the decoded iovecs of the current call.
	iovecs [][]byte
	*polling
	// control is the control data of the current call; nil before the first with control data.
	control *network.Control
	trace   *tracer
}

// polling is the state of a thread's calls of poll_oneoff and fd_poll. The first makes it.
type polling struct {
	// lastSubscriptions are the bytes of the last poll_oneoff's subscriptions, empty if the thread
	// has called fd_poll since. subscriptions are those of the last call of either, decoded.
	lastSubscriptions []byte
	subscriptions     []system.Subscription
	pollFDs           pollFDs
}

func (c *Caller) beginPoll() {
	if c.polling == nil {
		c.polling = new(polling)
	}
}

// Init makes c the Caller of a thread. Its calls are traced to trace, one Write a line, unless
// trace is nil.
func (c *Caller) Init(t *system.Thread, trace io.Writer) {
	c.Thread = t
	if trace != nil {
		c.trace = &tracer{w: trace}
	}
}

// decodeIovecs decodes a list of iovecs. The result is valid until the next call of the thread.
func (c *Caller) decodeIovecs(m wasi.MemoryView, ptr, count uint64) (bufs [][]byte, total int,
	e wasi.Errno) {
	c.iovecs, total, e = m.Vectors(c.iovecs[:0], uint32(ptr), uint32(count))
	c.ChargeSteps(total>>15 + len(c.iovecs)>>6)
	return c.iovecs, total, e
}

type contextKey struct{}

// Context is the context with which the engine must call the guest's functions: imports find their
// Caller in it, and the engine its thread.
type Context struct {
	context.Context
	Caller *Caller
	Thread any
}

// Value returns the Context itself for the key of ContextOf.
func (c *Context) Value(key any) any {
	if key == (contextKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// ContextOf returns the Context that ctx is or comes from, or nil.
func ContextOf(ctx context.Context) *Context {
	if c, ok := ctx.(*Context); ok { // the fast path, without a search for the key
		return c
	}
	c, _ := ctx.Value(contextKey{}).(*Context)
	return c
}

// refusalGarbage is how many bytes the host allocates for an EACCES, at most.
const refusalGarbage = 512

// Call implements api.GoModuleFunction: it runs the function. Once the guest has ended, it panics
// with the reason, by which wazero unwinds the guest's stack.
func (f *Function) Call(ctx context.Context, mod api.Module, stack []uint64) {
	in := ContextOf(ctx)
	if in == nil {
		panic(ErrNoCaller)
	}
	c := in.Caller
	e := f.callProtected(c, mod, stack)
	if e == wasi.EACCES {
		c.ChargeGarbage(refusalGarbage)
	}
	c.ChargeSteps(1)
	if err := c.Err(); err != nil {
		panic(err)
	}
	if e == wasi.EBADF || e == wasi.ENOTDIR {
		c.noteLack(f, int32(stack[0]))
	}
	stack[0] = uint64(e)
}

// noteLack notes in system.Lacks that a call failed on its first argument, a descriptor.
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

// callProtected runs the decoder. A panic comes from a network, reader or writer of the embedder,
// and ends the guest.
func (f *Function) callProtected(c *Caller, mod api.Module, stack []uint64) (e wasi.Errno) {
	if f.sends {
		c.EnterSend(&f.Name)
	} else {
		c.EnterCall(&f.Name)
	}
	defer c.finishCall()
	m := c.Memory(mod)
	if c.trace == nil || f.args == "" {
		e = f.decode(c, m, stack)
	} else {
		e = c.trace.call(f, c, m, stack)
	}
	c.LeaveCall()
	return e
}

// finishCall is deferred by callProtected. A call that has not been left panicked or has ended its
// goroutine.
func (c *Caller) finishCall() {
	if name := c.CurrentImport(); name != nil {
		c.KillForPanic(outside.NewPanic(*name, recover()))
		c.LeaveCall()
	}
}

type callError string

func (e callError) Error() string { return string(e) }

// ErrNoCaller is the error of an import that was called with another context than a Context.
const ErrNoCaller = callError("called outside of a running guest")

// Memory returns a view of the guest's whole memory.
func (c *Caller) Memory(mod api.Module) wasi.MemoryView {
	if mod != c.module {
		c.module, c.linear, c.view = mod, mod.Memory(), nil
		// wazero returns a nil pointer in a non-nil interface if there is no memory.
		if c.linear != nil && reflect.ValueOf(c.linear).IsNil() {
			c.linear = nil
		}
	}
	mem := c.linear
	if mem == nil {
		return nil
	}
	if c.Shared != nil {
		pages, _ := mem.Grow(0) // unlike Size, safe while another thread grows the memory
		return c.Shared[:uint64(pages)<<16]
	}
	// A memory moves only as it grows.
	if size := mem.Size(); size == 0 || int64(size) != int64(len(c.view)) {
		c.view = View(mem)
	}
	return c.view
}

// View returns a view of a whole memory that no other thread grows.
func View(mem api.Memory) wasi.MemoryView {
	size := mem.Size()
	if size == 0 { // 0, or 4 GiB, which overflows uint32
		if pages, ok := mem.Grow(0); !ok || pages == 0 {
			return nil
		}
		size = 1<<32 - 1
	}
	b, _ := mem.Read(0, size)
	return b
}
