package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/printable"
	"github.com/wasport/wasport/internal/system"
)

// Trap is the error with which a guest ended that did what WebAssembly does not allow.
type Trap struct {
	Reason string // "unreachable", "out of bounds memory access", ...
	// the functions that were active, innermost first, a line each; below each, if the module
	// tells, its lines of source, indented
	Stack string
}

func (t *Trap) Error() string { return "trap: " + t.Reason }

// Limits bound what a guest may use.
type Limits struct {
	// bytes of linear memory, and besideMemory more for the rest; 0 = what WebAssembly allows
	Memory  uint64
	Threads int // besides the first; 0 = DefaultMaxThreads, negative = none
}

// errReturned is the reason for which the world of a guest ends whose entry has returned.
var errReturned = errors.New("the guest has returned")

var errClosed = errors.New("the module has been closed")

// Run runs one guest from its entry to its end, the first thread on the calling goroutine. The
// calls of all threads are reported to trace, a line each, unless that is nil; it must be safe for
// concurrent use. The error is a *system.Exit if the guest called proc_exit, the reason if it was
// killed, and a *Trap if it trapped; if several threads did something of the kind, what the first
// of them did.
func (m *Module) Run(ctx context.Context, world *system.Guest, trace io.Writer, entry Entry,
	args []uint64, limits Limits) ([]uint64, error) {
	if m.unsuppliable != nil {
		return nil, m.unsuppliable
	}
	g := &guest{module: m, world: world, trace: trace, most: limits.Threads,
		left: make(chan struct{}, 1), ids: make(map[uint32]struct{})}
	if g.most == 0 {
		g.most = DefaultMaxThreads
	}
	g.budget = newBudget(limits.Memory)
	if limits.Memory != 0 {
		g.budget.Refused = func() { world.RefusedBy("memory", int(limits.Memory)) }
	}
	if !g.budget.Take(m.threadNeeds()) {
		return nil, m.errNoRoom(limits.Memory)
	}
	if !m.engine.users.enter() {
		return nil, errClosed
	}
	defer m.engine.users.leave()
	if !m.users.enter() {
		return nil, errClosed
	}
	defer m.users.leave()
	ctx, release, err := m.reserve(ctx, g, limits.Memory)
	if err != nil {
		return nil, err
	}
	defer release()
	g.ctx = ctx
	var results []uint64
	err = g.run(g.trace, func(ctx context.Context, inst api.Module) (err error) {
		// A reactor is told to initialise itself before anything else is called; a command does so
		// by itself.
		if init := inst.ExportedFunction("_initialize"); init != nil && entry.Name != "_start" &&
			entry.Name != "_initialize" {
			if _, err := init.Call(ctx); err != nil {
				return err
			}
		}
		results, err = inst.ExportedFunction(entry.Name).Call(ctx, args...)
		return err
	})
	if err == nil {
		err = errReturned
	}
	world.Kill(err)
	g.wait()
	if err = world.Err(); err != errReturned {
		return nil, err
	}
	return results, nil
}

// ended makes sense of the error with which wazero returned.
func (g *guest) ended(err error, when string) error {
	if cause := g.world.Err(); cause != nil {
		return cause
	}
	var exit *system.Exit
	if errors.As(err, &exit) {
		return exit
	}
	reason, stack, ok := strings.Cut(err.Error(), "\nwasm stack trace:\n")
	// which compiled code reports without its millions of frames
	if !ok && reason != "stack overflow" {
		return fmt.Errorf("%s%w", when, printable.Error(err))
	}
	var f fault
	if strings.HasSuffix(reason, recovered) && !errors.As(err, &f) {
		return hostPanic(err, strings.TrimSuffix(reason, recovered), stack)
	}
	return g.trap(reason, stack)
}

// recovered is what wazero adds to the argument of a panic that a host function let through.
const recovered = " (recovered by wazero)"

// fault is what a guest did that WebAssembly does not allow, where it is our functions that
// noticed.
type fault struct{ error }

// hostPanic is the error of a guest that has called a function of another module of the embedder's,
// which has panicked. Wazero tells Go's stack only if the argument was a runtime.Error.
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

// trap makes a Trap of what wazero says. The guest knows neither the numbers of functions that
// wazero has, nor what rewriting has added, nor the frames of the host that follow its own, nor
// that each function is said to be its module's.
func (g *guest) trap(reason, stack string) *Trap {
	if strings.HasPrefix(reason, "start function[") {
		_, reason, _ = strings.Cut(reason, " failed: ")
	}
	reason = strings.TrimSuffix(strings.TrimPrefix(reason, "wasm error: "), recovered)
	if rest, ok := strings.CutPrefix(stack, "\t"+interrupt.Module+"."+interrupt.Deepen+
		"(i32) i32\n"); ok {
		_, stack, _ = strings.Cut(rest, "\n") // the one that has called it is added too
	}
	stack, _, _ = strings.Cut(stack, "\n\n")
	lines := strings.Split(strings.TrimRight(stack, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "\t")
		if rest, ok := strings.CutPrefix(lines[i], "\t"); ok {
			lines[i] = "\t" + printable.Text(rest)
			continue
		}
		lines[i] = printable.Text(lines[i])
		if !strings.HasPrefix(lines[i], "...") { // of frames that are left out
			lines[i] = strings.TrimPrefix(lines[i], g.module.compiled.Name()+".")
		}
	}
	return &Trap{Reason: printable.Text(reason), Stack: strings.Join(lines, "\n")}
}
