package engine

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/printable"
	"github.com/wasport/wasport/internal/system"
)

// Trap is the error of a guest that trapped (WebAssembly Core Specification 2.0, section 4.2.1).
type Trap struct {
	// Reason is wazero's text without its prefix, such as "unreachable" or "out of bounds memory
	// access".
	Reason string

	// Stack lists the active functions, one per line and the innermost first. If the module has
	// DWARF sections, the source lines of a function follow it, indented by a tab: those of inlined
	// functions before that of the function.
	Stack string
}

func (t *Trap) Error() string { return "trap: " + t.Reason }

// Limits are the limits of one guest.
type Limits struct {
	// Memory bounds the linear memory, in bytes. The guest may hold hostMemoryAllowance more of
	// tables, stacks and instances. 0 means that only WebAssembly's own limit applies.
	Memory uint64

	// Threads bounds the number of threads besides the first. 0 means DefaultMaxThreads; a negative
	// number allows none.
	Threads int
}

// errEntryReturned is the reason that ends a guest's system calls after its entry has returned.
var errEntryReturned = errors.New("the guest has returned")

var (
	errClosed       = errors.New("the module has been closed")
	errEngineClosed = errors.New("the runtime has been closed")
)

// Run runs one guest from its entry to its end, with the first thread on the calling goroutine.
//
// Every call of every thread is written to trace, one line each, unless trace is nil. Trace must be
// safe for concurrent use.
//
// The error is a *system.Exit if the guest called proc_exit, the reason of sys.Kill if it was
// killed, and a *Trap if it trapped. If several threads end the guest, the first one counts.
func (m *Module) Run(sys *system.Guest, trace io.Writer, entry *Entry, args []uint64,
	limits Limits) ([]uint64, error) {
	inst, err := m.newInstance(sys, trace, limits)
	if err != nil {
		return nil, err
	}
	defer inst.close()
	var results []uint64
	err = inst.runThread(inst.trace, func(t *thread) (err error) {
		// The _initialize function of a reactor runs before any other export (WASI
		// application-abi.md). A command initialises itself.
		if entry.Name != "_start" && entry.Name != initializeName {
			if err := t.initialize(); err != nil {
				return err
			}
		}
		results, err = t.invoke(entry.Name, args)
		return err
	})
	if err == nil {
		err = errEntryReturned
	}
	sys.Kill(err)
	inst.waitThreads()
	if err = sys.Err(); err != errEntryReturned {
		return nil, err
	}
	return results, nil
}

// newInstance makes an instance without threads. The caller closes it.
func (m *Module) newInstance(
	sys *system.Guest, trace io.Writer, limits Limits,
) (*instance, error) {
	if m.unsuppliedImport != nil {
		return nil, m.unsuppliedImport
	}
	inst := &instance{module: m, lines: m.lines, sys: sys, trace: trace,
		maxThreads: limits.Threads}
	if m.usesThreads {
		inst.threadExited, inst.runningIDs = make(chan struct{}, 1), make(map[uint32]struct{})
	}
	if inst.maxThreads == 0 {
		inst.maxThreads = DefaultMaxThreads
	}
	inst.budget.Init(budgetFor(limits.Memory))
	if limits.Memory != 0 {
		inst.budget.Refused = func() {
			sys.ReportLimit("memory", int(min(limits.Memory, math.MaxInt)))
		}
	}
	if !inst.budget.Take(m.threadCost()) {
		return nil, m.errBudgetTooSmall(limits.Memory)
	}
	if !m.engine.uses.acquire() {
		return nil, errEngineClosed
	}
	if !m.uses.acquire() {
		m.engine.uses.release()
		return nil, errClosed
	}
	if err := m.reserveMemory(inst, limits.Memory); err != nil {
		inst.close()
		return nil, err
	}
	return inst, nil
}

// close releases the instance. Its threads have ended.
func (inst *instance) close() {
	if inst.closeProvider != nil {
		inst.closeProvider()
	}
	if inst.memory != nil {
		_ = inst.memory.Release()
	}
	inst.module.uses.release()
	inst.module.engine.uses.release()
}

// exitError converts the error of a wazero call to one of Run's. The prefix goes before an error
// that is none of them.
func (inst *instance) exitError(err error, prefix string) error {
	if cause := inst.sys.Err(); cause != nil {
		return cause
	}
	var exit *system.Exit
	if errors.As(err, &exit) {
		return exit
	}
	reason, stack, ok := strings.Cut(err.Error(), wasmStackTrace)
	// A stack overflow in compiled code has no stack trace.
	if !ok && reason != "stack overflow" {
		return fmt.Errorf("%s%w", prefix, printable.Error(err))
	}
	var f guestFault
	if strings.HasSuffix(reason, recoveredSuffix) && !errors.As(err, &f) {
		return hostPanic(err, strings.TrimSuffix(reason, recoveredSuffix), stack)
	}
	return inst.newTrap(reason, stack)
}

// wasmStackTrace is the text of wazero between the reason of a trap and the stack.
const wasmStackTrace = "\nwasm stack trace:\n"

// recoveredSuffix is appended by wazero to the value of a panic in a host function.
const recoveredSuffix = " (recovered by wazero)"

// guestFault is the panic value of a host function that ends the guest with a trap.
type guestFault struct{ error }

// hostPanic is the error of a guest that called a function of the embedder's which panicked. wazero
// reports Go's stack only if the panic value is a runtime.Error.
func hostPanic(err error, reason, stack string) error {
	p := &outside.Panic{In: "an imported function", Value: reason, Stack: stack}
	if cause := errors.Unwrap(err); cause != nil {
		p.Value = cause
	}
	if _, goStack, ok := strings.Cut(stack, "\n\nGo runtime stack trace:\n"); ok {
		p.Stack = goStack
	}
	return p
}

// newTrap makes a Trap of wazero's reason and stack trace. It removes the parts that mean nothing
// to the guest's author:
//
//   - "start function[N] failed: " before the reason, if the module's start function trapped. N is
//     an index in the rewritten module.
//   - The first two frames of a stack overflow, Deepen and the function that calls it, "tick". Both
//     were added by interrupt.Rewrite.
//   - Go's stack trace, which follows the guest's after an empty line.
//   - The module's name before each function, unless the guest is one of a component.
//
// The texts are made safe for a terminal, since the guest chose its functions' names.
func (inst *instance) newTrap(reason, stack string) *Trap {
	if strings.HasPrefix(reason, "start function[") {
		_, reason, _ = strings.Cut(reason, " failed: ")
	}
	reason = strings.TrimSuffix(strings.TrimPrefix(reason, "wasm error: "), recoveredSuffix)
	stack, _, _ = strings.Cut(stack, "\n\n")
	frames := inst.parseFrames(strings.TrimRight(stack, "\n"))
	if len(frames) > 1 && frames[0].function == interrupt.Module+"."+interrupt.Deepen+"(i32) i32" {
		frames = frames[2:]
	}
	return &Trap{Reason: printable.Text(reason), Stack: inst.formatFrames(frames)}
}

// framePrefix is the text of wazero before the functions of a guest that has one module only.
func (inst *instance) framePrefix() string {
	if inst.module == nil {
		return ""
	}
	return inst.module.compiled.Name() + "."
}
