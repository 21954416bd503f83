package wasport

import (
	"fmt"
	"strings"

	"github.com/wasport/wasport/internal/engine"
	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/system"
)

// ErrCPU is the error of a guest that has used up Config.MaxCPU.
var ErrCPU = system.ErrCPU

// Trap is the error of a guest that did something WebAssembly does not allow: an access out of
// bounds, an unreachable instruction, too deep a recursion, a call of a function that the host
// lacks.
type Trap struct {
	// Reason names the violation, such as "unreachable" or "out of bounds memory access".
	Reason string

	// Stack lists the functions that were active, innermost first, one a line. If the module
	// carries debug information, the lines of source follow each function, indented: those of
	// inlined functions before the function's own.
	Stack string
}

func (t *Trap) Error() string { return (*engine.Trap)(t).Error() }

// ImportError is the error of a module that imports something wasport lacks.
type ImportError struct {
	// Imports are the imports that cannot be supplied.
	Imports []Import
}

// Error lists the imports; beyond 20 it gives their number only.
func (e *ImportError) Error() string {
	list := make([]engine.Import, 0, len(e.Imports))
	for _, i := range e.Imports {
		list = append(list, engine.Import(i))
	}
	return (&engine.ImportError{Imports: list}).Error()
}

// CompilerPanic is the error of Compile if a bug of wasport or wazero made the compiler panic on a
// module. Other modules are not affected. On several processors wazero compiles functions on
// goroutines of its own; a panic on one of these ends the process, with Go's message.
type CompilerPanic struct {
	// Value is the argument of panic.
	Value any

	// Stack is Go's stack, in the format of runtime/debug.Stack.
	Stack string
}

func (p *CompilerPanic) Error() string { return (*engine.CompilerPanic)(p).Error() }

// HostPanic is the error of a guest that ended because code of the embedder panicked on its
// behalf: a callback, reader, writer, network or resolver of its Config, or a host function.
// Other guests go on.
type HostPanic struct {
	// In names the code that panicked, such as "Config.Stdin" or "sock_connect".
	In string

	// Value is the argument of panic.
	Value any

	// Stack is Go's stack, in the format of runtime/debug.Stack.
	Stack string
}

func (p *HostPanic) Error() string { return (*outside.Panic)(p).Error() }

// Unwrap returns Value if that is an error, else nil.
func (p *HostPanic) Unwrap() error { return (*outside.Panic)(p).Unwrap() }

// ConfigError is the error of a guest that cannot start with a Config, since a limit in it is below
// the needs of the module or of the Config itself, or the module has no use for a part of it.
type ConfigError struct {
	Err error
	// Memory is true if a larger MaxMemory would help.
	Memory bool
}

func (e *ConfigError) Error() string { return (*system.MisfitError)(e).Error() }

// Unwrap returns Err.
func (e *ConfigError) Unwrap() error { return e.Err }

// InterruptedError is the error of an instance that went on to compute after the context of a call
// had ended.
type InterruptedError struct {
	// Cause is the cause of the context (context.Cause).
	Cause error
}

func (e *InterruptedError) Error() string { return (*system.Interrupted)(e).Error() }

// Unwrap returns Cause.
func (e *InterruptedError) Unwrap() error { return e.Cause }

// ExitError is the error of an instance that has called proc_exit, also with 0.
type ExitError struct{ Code uint32 }

func (e *ExitError) Error() string {
	return fmt.Sprintf("the guest exited with status %d", e.Code)
}

// StuckError is the error of a guest that was ended while code of the embedder did not return:
// code that the guest had called, or a callback, logger or writer that was to take its output.
// Until that code returns, it keeps its goroutine and with it the guest's memory. The guest's
// descriptors are closed.
type StuckError struct {
	// Reason is the error that ended the guest; nil if it had ended by itself.
	Reason error

	// In names the code that did not return, such as "sock_connect" or "Config.Stdout".
	In []string
}

func (e *StuckError) Error() string {
	where := "the host is stuck in " + strings.Join(e.In, ", ")
	if e.Reason == nil {
		return where
	}
	return fmt.Sprintf("%v; %s", e.Reason, where)
}

// Unwrap returns Reason.
func (e *StuckError) Unwrap() error { return e.Reason }

// publicError turns an error of an internal package into the type that this package documents. The
// internal packages return these types unwrapped, so a look at err itself suffices.
func publicError(err error) error {
	switch e := err.(type) {
	case *engine.Trap:
		return (*Trap)(e)
	case *engine.ImportError:
		return &ImportError{Imports: publicImports(e.Imports)}
	case *outside.Panic:
		return (*HostPanic)(e)
	case *engine.CompilerPanic:
		return (*CompilerPanic)(e)
	case *system.MisfitError:
		return (*ConfigError)(e)
	case *system.Interrupted:
		return (*InterruptedError)(e)
	case *engine.RangeError:
		return (*RangeError)(e)
	}
	return err
}
