package engine

import (
	"context"
	"fmt"
	"runtime"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/printable"
)

// CompileOptions say what to do with a module that is not quite as we want it.
type CompileOptions struct {
	TrapUnknown bool // functions that we lack trap when called, instead of making Compile fail
}

// Compile compiles a module and checks that its imports can be supplied. An *ImportError says which
// cannot.
//
// It returns at the end of ctx, with its cause. wazero does not look at ctx while it compiles a
// function, so that this one goes on in the background, for as long as interrupt.Rewrite lets a
// function of its size take; the engine is not released before. The binary must not change until
// then.
func (e *Engine) Compile(ctx context.Context, binary []byte, o CompileOptions) (*Module, error) {
	if ctx.Done() == nil {
		return e.compileModule(ctx, binary, o)
	}
	if ctx.Err() != nil {
		return nil, errCut(ctx)
	}
	if !e.users.enter() {
		return nil, errClosed
	}
	var m *Module
	var err error
	done, wanted := make(chan struct{}), make(chan bool, 1)
	go func() {
		defer e.users.leave()
		m, err = e.compileModule(ctx, binary, o)
		close(done)
		if !<-wanted && err == nil {
			m.Close(context.WithoutCancel(ctx))
		}
	}()
	select {
	case <-done:
		wanted <- true
		if ctx.Err() != nil && err != nil { // which wazero puts in other words
			return nil, errCut(ctx)
		}
		return m, err
	case <-ctx.Done():
		wanted <- false
		return nil, errCut(ctx)
	}
}

func errCut(ctx context.Context) error {
	return fmt.Errorf("the module was not compiled in time: %w", context.Cause(ctx))
}

func (e *Engine) compileModule(
	ctx context.Context, binary []byte, o CompileOptions,
) (*Module, error) {
	if err := recognise(binary); err != nil {
		return nil, err
	}
	m := &Module{engine: e, runtime: e.runtime, scheduler: e.scheduler,
		byGo: interrupt.ByGo(binary)}
	original := binary
	if !e.noInterrupt {
		rewritten, needs, err := interrupt.Rewrite(binary,
			interrupt.Options{Interval: interval, Stack: firstStack, Charge: true, Atomics: true,
				Overloaded: m.overloaded})
		if err != nil {
			// Not wazero's to judge: it takes some that are invalid, which nothing would end or
			// limit, and it allocates what they declare.
			return nil, err
		}
		binary, m.interrupted, m.memory, m.needs = rewritten, true, needs.Memory, needs
		m.memory.Max = min(m.memory.Max, mostMemory)
	}
	var err error
	if m.otherImports, err = interrupt.Imports(original); err != nil {
		return nil, err
	}
	if m.compiled, err = e.compile(ctx, binary); err != nil {
		return nil, err
	}
	m.exported = m.compiled.ExportedFunctions()
	m.findStack(binary)
	if err := m.prepare(ctx, o); err != nil {
		m.Close(ctx)
		return nil, err
	}
	return m, nil
}

func (e *Engine) compile(
	ctx context.Context, binary []byte,
) (compiled wazero.CompiledModule, err error) {
	compile := func() (err error) {
		if compiled, err = e.runtime.CompileModule(compiling(ctx), binary); err != nil {
			return fmt.Errorf("invalid module: %w", printable.Error(err))
		}
		return nil
	}
	if e.kept == nil {
		err = compile()
	} else {
		err = e.kept.Compile(ctx, binary, compile)
	}
	return compiled, err
}

// compiling is the context for compiling, which by default would use one processor of several.
func compiling(ctx context.Context) context.Context {
	return experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0))
}
