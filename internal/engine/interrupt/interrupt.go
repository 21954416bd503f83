// Package interrupt rewrites a WebAssembly module so that the host can stop it.
//
// Compiled code runs until it calls the host. A rewritten module decrements a counter at every loop
// iteration and every function entry, and calls an imported function, a tick, each time that the
// counter is used up. Bulk memory operations count by their length, and long ones run in chunks.
// Calls nest no deeper than a limit. The host implements the waits of atomic instructions.
//
// The shape of the checks follows from the machine code that wazero 1.12 makes of them:
//
//   - wazero allocates registers block by block. A block where paths meet begins with the registers
//     of one of them. After "if the interval is used up, tick" that would be the path of the tick,
//     on which everything is in memory. So a check encloses the checked code, and the path of the
//     tick comes last, and branches back to the check.
//   - A global is in a register only along a straight path. Each iteration of a loop would load the
//     counter, subtract and store it. A function with a loop without calls therefore keeps the
//     counter in a local, and writes it back before other code can read it. Elsewhere there is a
//     call for every few steps, and the local would cost more than it saves.
//   - A value that lives in a loop and across the call of the tick is stored in every iteration.
//     The path of the tick gives it a new name first; see renew.go.
//   - A conditional branch takes two more instructions where wazero splits its edge, above all at
//     the end of a loop. The rewritten branch is in an if, which has the edge split already.
//   - Go's compiler lets each jump go through the table at the start of a loop. Most jumps that
//     lead forward are rewritten to go past it, and do not count; see dispatch.go.
//
// The package reads a module's bytes and returns others. It reads the whole module, and refuses one
// that would make wazero allocate or compile out of proportion to its size. It knows the binary
// format and the costs of wazero's compiler. Engines, guests and clocks do not belong here: the
// importer decides what happens at a tick.
//
// Functions of this package have no shared state, and may be called from several goroutines.
package interrupt

import "errors"

// The imports that rewriting adds. A module that imports from Module itself is refused, so that a
// guest cannot call the functions of its own instrumentation.
const (
	Module = "wasport:interrupt"

	// Tick is () -> (stack i32). The module calls it when the interval is used up. It may return,
	// trap, or block. After any result but 0 the module calls Stack.
	Tick = "tick"

	// Stack is () -> (). A listener of this function sees the stack of the thread that calls it.
	Stack = "stack"

	// Deepen is (depth i32) -> (limit i32). The module calls it when the estimated size of the call
	// stack, in bytes, exceeds the limit. It returns the next limit, from the depth to 1 GiB, or
	// traps.
	Deepen = "deepen"

	// Charge is (kind, count i32) -> (granted i32). The module calls it before it makes the engine
	// allocate memory. Kind is one of the Charge constants. It returns 1 to grant the memory, and 0
	// to refuse it. A negative count gives back memory that was granted but not allocated.
	Charge = "charge"

	// Notify, Wait32 and Wait64 replace memory.atomic.notify, wait32 and wait64. They take the
	// operands of the instruction and its static offset. The host adds the offset to the address
	// without wrapping, and checks the sum for bounds and alignment. The types are
	//
	//	notify: (address, count, offset i32) -> (woken i32)
	//	wait32: (address, expected i32, timeout i64, offset i32) -> (result i32)
	//	wait64: (address i32, expected, timeout i64, offset i32) -> (result i32)
	Notify = "notify"
	Wait32 = "wait32"
	Wait64 = "wait64"
)

// The kinds of memory that Charge is called for.
const (
	// ChargePages counts pages of a shared memory, of 64 KiB each.
	ChargePages = iota

	// ReturnPages gives back pages that ChargePages counted, of a memory.grow that failed.
	ReturnPages

	// ChargeEntries counts entries of a table.
	ChargeEntries

	// ChargeReferences counts references that ref.func makes, which wazero allocates. Charge must
	// grant them or trap.
	ChargeReferences
)

var (
	// ErrMalformed is the error of a module that is invalid or exceeds the limits of this package.
	ErrMalformed = errors.New("invalid module")

	// ErrUnsupported is the error of a module with a feature beyond WebAssembly 2.0, threads, tail
	// calls and extended constant expressions.
	ErrUnsupported = errors.New("the module uses a feature that is not supported")
)

const (
	// DefaultInterval makes a tick about every 20 to 50 µs.
	DefaultInterval = 20_000

	// DefaultMaxStack is the usual limit of the estimated call stack, in bytes. It keeps the stacks
	// of wazero's compiled code below about 40 MB, most of them below a third of that. wazero's own
	// limit is 84 MB, and another 42 MB while a stack grows. The limit has room for more than
	// 100,000 calls of a small function. The tests of Go's encoding/xml need most of it.
	DefaultMaxStack = 40 << 20

	// maxStack bounds all limits of the call stack, so that a frame beyond one is still a positive
	// number of 32 bits.
	maxStack = 1 << 30
)

// Options are the options of Rewrite.
type Options struct {
	// Interval is the number of loop iterations and function entries between two ticks. Below 2 it
	// means DefaultInterval.
	Interval uint32

	// Stack is the first limit of the call stack, in bytes as estimated from the functions' code.
	// The module calls Deepen beyond it. Zero means that only the engine's own limit applies. More
	// than 1 GiB means 1 GiB.
	Stack uint32

	// Charge makes the module call Charge before it makes the engine allocate memory, other than
	// for its stack.
	Charge bool

	// Atomics replaces atomic wait and notify by imports if the memory is shared, so that the host
	// can end a wait.
	Atomics bool

	// Overloaded reports whether the host has functions of several types under a name. The
	// rewritten module imports each type under a name of its own, which ImportedName converts back.
	// Nil means that no function is overloaded.
	Overloaded func(module, name string) bool

	// Lines makes wazero write the offsets of instructions into stack traces, as lines of a file of
	// this name, for Origins. The compiled code takes more memory. Empty means no offsets.
	Lines string

	// Name replaces the module's name, by which wazero names its functions in a stack trace. Empty
	// means that the name stays.
	Name string
}

// Memory is the type of a module's memory, with sizes in bytes. It is zero if the module has none.
type Memory struct {
	Min, Max         uint64
	Shared, Imported bool
}

// Needs is the memory that each instance of a module takes.
type Needs struct {
	Memory Memory

	// Instance is the size of the globals, tables, segments and imports, in bytes.
	Instance uint64
}

// Rewrite returns the module with its checks, and the needs of its instances.
//
//   - The result is valid if and only if the input is.
//   - It imports the functions from Module that the options call for.
//   - It lacks the sections that hold offsets into the input's code (DWARF, relocations). Origins
//     finds the input's offsets.
//   - Its functions without names are named by their indices in the input.
//   - Its tables have at most a million entries in all.
//
// The error wraps ErrMalformed or ErrUnsupported. Rewrite neither keeps nor changes the input.
func Rewrite(module []byte, o Options) ([]byte, Needs, error) { return rewriteFor(module, o, nil) }

func rewriteFor(module []byte, o Options, origins *originFinder) ([]byte, Needs, error) {
	if o.Interval < 2 {
		o.Interval = DefaultInterval
	}
	o.Stack = min(o.Stack, maxStack)
	w := &rewriter{o: o, origins: origins, out: make([]byte, 0, len(module)+len(module)/2+1024)}
	w.rewrite(module)
	if w.err != nil {
		return nil, Needs{}, w.err
	}
	return w.out, Needs{Memory: w.memory, Instance: w.instanceSize}, nil
}
