// Package interrupt rewrites a WebAssembly module so that whoever runs it can stop it.
//
// Compiled code runs until it calls the host. A rewritten module counts down as it runs, at every
// loop and every entry of a function, and calls an imported function each time that the count is
// used up. Operations on whole ranges of memory count by their length, and long ones are done in
// pieces. Calls nest no deeper than a limit, and waits of atomic instructions are the host's.
//
// The package turns bytes into bytes. It reads the whole module, and refuses what would make an
// engine allocate out of proportion. It knows the binary format and nothing of engines, guests or
// clocks: what happens at a tick is the importer's business.
package interrupt

import "errors"

// The imports that rewriting adds. A module that imports from there itself is refused, so that a
// guest cannot call what is meant for its instrumentation.
const (
	Module = "wasport:interrupt"

	// Tick is () -> (): the interval is used up. It may return, trap, or take its time.
	Tick = "tick"

	// Deepen is (depth i32) -> (limit i32): the call stack has so many bytes, as guessed, which is
	// more than the limit. It returns the next limit, or traps.
	Deepen = "deepen"

	// Charge is (what, count i32) -> (granted i32): the guest asks the engine for memory, of which
	// it may have so much, or not: 1 or 0. What is one of the Charge constants. A negative count
	// gives back what was granted and could not be had.
	Charge = "charge"

	// Notify, Wait32 and Wait64 take the place of atomic wait and notify. They take the
	// instruction's operands and then its static offset, which is to be added to the address
	// without wrapping, and the sum checked for alignment and bounds: notify (address, count,
	// offset i32) -> (woken i32), wait32 (address, expected i32, timeout i64, offset i32) -> (i32)
	// and wait64 (address i32, expected, timeout i64, offset i32) -> (i32).
	Notify = "notify"
	Wait32 = "wait32"
	Wait64 = "wait64"
)

// What a guest asks for when it calls Charge.
const (
	ChargePages   = iota // of shared memory, of 64 KiB each
	ChargeEntries        // of a table
	// to functions, which engines allocate as ref.func makes them; it must be granted, or trap
	ChargeReferences
)

var (
	// ErrMalformed says that the bytes are no module, or one that goes beyond the limits.
	ErrMalformed = errors.New("invalid module")

	// ErrUnsupported says that the module uses a feature beyond WebAssembly 2.0, threads, tail
	// calls and extended constant expressions.
	ErrUnsupported = errors.New("the module uses a feature that is not supported")
)

const (
	// DefaultInterval makes a tick about every 20 to 50 µs.
	DefaultInterval = 20_000

	// DefaultMaxStack, as a limit of the host's, keeps the stack of wazero's compiler to some 40
	// MB, most often to a third of that; by itself it lets it have 84 MB, and another 42 while it
	// grows there. It is room for 100,000 calls of a small function and more. The tests of Go's
	// encoding/xml need most of it.
	DefaultMaxStack = 40 << 20
)

// Options say how to rewrite a module.
type Options struct {
	// Interval is the number of loop iterations and function entries between two ticks. Below 2 it
	// means DefaultInterval.
	Interval uint32

	// Stack is the size of the call stack, in bytes as guessed from the functions' code, from which
	// on Deepen is called. Zero means no limit but the engine's.
	Stack uint32

	// Charge makes the module call Charge before it takes memory of the engine's, other than for
	// its stack.
	Charge bool

	// Atomics replaces atomic wait and notify by imports, if the memory is shared, so that the host
	// can end a wait.
	Atomics bool

	// Overloaded reports whether functions of several types can be imported under a name. The
	// result of Rewrite imports those under names of their own, from which ImportedName makes the
	// original one. Nil means that there are none.
	Overloaded func(module, name string) bool
}

// Memory is the type of a module's memory, with sizes in bytes. It is the zero value if the module
// has none.
type Memory struct {
	Min, Max         uint64
	Shared, Imported bool
}

// Needs is what an instance of a module takes of the engine's memory.
type Needs struct {
	Memory   Memory
	Instance uint64 // bytes for globals, tables, segments and imports
}

// Rewrite returns the module with its checks, and what its instances need. The result is valid if
// and only if the input is. It imports from Module what the options call for, and lacks the
// sections that describe the input's code by offsets (DWARF, relocations). Functions without names
// are named by their indices in the input. Its tables may have a million entries in all. Errors are
// ErrMalformed and ErrUnsupported. Rewrite neither keeps nor changes the input.
func Rewrite(module []byte, o Options) ([]byte, Needs, error) {
	if o.Interval < 2 {
		o.Interval = DefaultInterval
	}
	w := &rewriter{o: o, out: make([]byte, 0, len(module)+len(module)/2+1024)}
	w.rewrite(module)
	if w.err != nil {
		return nil, Needs{}, w.err
	}
	return w.out, Needs{Memory: w.memory, Instance: w.instanceSize}, nil
}
