package engine

import (
	"context"
	"fmt"
	"io"

	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/printable"
	"github.com/wasport/wasport/internal/system"
)

// CompileOptions are the options of Compile.
type CompileOptions struct {
	// TrapUnknown makes imported functions that do not exist trap when they are called, instead of
	// making Compile fail.
	TrapUnknown bool
}

// Program is a compiled *Module or *Component.
type Program interface {
	Run(sys *system.Guest, trace io.Writer, entry *Entry, args []uint64,
		limits Limits) ([]uint64, error)
	Entry(name string) (Entry, error)
	Entries() []Entry
	Imports() []Import
	Memory() (Memory, bool)
	Threads() bool
	ByGo() bool
	CachePaths() (dir, keyDir string)
	Close(ctx context.Context) error
}

// Compile compiles a module or component and checks that its imports can be supplied. The error is
// an *ImportError, with the list of them, if some cannot.
//
// Compile returns when ctx ends, with its cause. wazero does not look at ctx while it compiles a
// function. That compilation goes on in the background, no longer than interrupt.Rewrite allows for
// a function of its size, and the engine stays open until then. The binary must not change as long.
func (e *Engine) Compile(ctx context.Context, binary []byte, o CompileOptions) (Program, error) {
	if ctx.Err() != nil {
		return nil, errCompileCancelled(ctx)
	}
	if !e.uses.acquire() {
		return nil, errEngineClosed
	}
	if ctx.Done() == nil {
		defer e.uses.release()
		return e.compile(ctx, binary, o)
	}
	var p Program
	var err error
	done, wanted := make(chan struct{}), make(chan bool, 1)
	go func() {
		defer e.uses.release()
		p, err = e.compile(ctx, binary, o)
		close(done)
		if !<-wanted && err == nil {
			p.Close(context.WithoutCancel(ctx))
		}
	}()
	select {
	case <-done:
		wanted <- true
		if ctx.Err() != nil && err != nil {
			// wazero's error does not wrap the cause of ctx.
			return nil, errCompileCancelled(ctx)
		}
		return p, err
	case <-ctx.Done():
		wanted <- false
		return nil, errCompileCancelled(ctx)
	}
}

func errCompileCancelled(ctx context.Context) error {
	return fmt.Errorf("the compilation was ended: %w", context.Cause(ctx))
}

// CompilerPanic is the error of a module for which the compiler panicked. wazero compiles functions
// on goroutines of its own if there are several processors; a panic on one of them ends the
// process, with Go's message.
type CompilerPanic struct {
	Value any
	Stack string // in the format of runtime/debug.Stack
}

func (p *CompilerPanic) Error() string {
	return printable.Text(fmt.Sprintf("the compiler failed on this module, which is a bug: %v",
		p.Value))
}

// compile is Compile on the calling goroutine, and does not end with ctx. It fails with a
// *CompilerPanic if a part of it panics.
func (e *Engine) compile(
	ctx context.Context, binary []byte, o CompileOptions,
) (p Program, err error) {
	outside.Protect("the compiler", func() { p, err = e.compileProgram(ctx, binary, o) },
		func(panicked *outside.Panic) {
			p, err = nil, &CompilerPanic{panicked.Value, panicked.Stack}
		})
	return p, err
}

func (e *Engine) compileProgram(
	ctx context.Context, binary []byte, o CompileOptions,
) (Program, error) {
	kind, err := recognise(binary)
	if err != nil {
		return nil, err
	}
	if kind == componentKind {
		return compiled(e.compileComponent(ctx, binary, o))
	}
	return compiled(e.compileModule(ctx, binary, o))
}

// compiled returns nil for a program that was not compiled.
func compiled[P Program](p P, err error) (Program, error) {
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (e *Engine) compileModule(
	ctx context.Context, binary []byte, o CompileOptions,
) (*Module, error) {
	m := &Module{engine: e, runtime: e.runtime, scheduler: e.scheduler,
		byGo: interrupt.ByGo(binary), lines: make([]*sourceLines, 1)}
	m.resolveImport = m.findImport
	var options *interrupt.Options
	if !e.noInterrupt {
		options = &interrupt.Options{
			Interval: e.tickInterval, Stack: initialStackLimit, Charge: true, Atomics: true,
			Overloaded: m.isOverloaded,
		}
		m.lines[0] = newSourceLines(binary, options, 0)
	}
	c, err := e.compileCached(ctx, binary, options)
	if err != nil {
		return nil, err
	}
	m.compiled, m.interruptible, m.memory, m.requirements = c.CompiledModule, options != nil,
		c.needs.Memory, c.needs
	m.memory.Max = min(m.memory.Max, maxMemory)
	if m.otherImports, err = interrupt.Imports(binary); err != nil {
		m.Close(ctx)
		return nil, err
	}
	m.exportedFuncs = m.compiled.ExportedFunctions()
	m.stackPointer.find(c.binary)
	m.placement = placementOf(binary)
	if err := m.resolveImports(ctx, o); err != nil {
		m.Close(ctx)
		return nil, err
	}
	return m, nil
}
