// Package wasport runs WebAssembly modules that use the network. It runs components built for WASI
// 0.2, and modules built for WASI preview 1, for the socket functions of WAMR (WebAssembly Micro
// Runtime) and for those of WasmEdge, unchanged, with real sockets of the host, as far as a policy
// allows.
//
// A [Runtime] compiles modules. A [Module] is compiled once and run any number of times, also
// concurrently. Each run is a guest with its own files, sockets and policy, described by a
// [Config]:
//
//	rt, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{})
//	...
//	defer rt.Close(ctx)
//	mod, err := rt.Compile(ctx, wasm, wasport.CompileConfig{})
//	...
//	status, err := mod.Run(ctx, wasport.Config{Args: []string{"hello"}, Stdout: os.Stdout})
//
// The zero Config is safe: no files, no network, no environment.
//
// Belongs here: the API, and the construction of a guest from its Config. Does not belong here: the
// interface of a network and the ways to write one (package network), and the rules of a policy
// (package policy).
//
// Runtime, Module and Guest may be used from several goroutines.
package wasport

import (
	"context"

	"github.com/tetratelabs/wazero"

	"github.com/wasport/wasport/internal/engine"
)

// RuntimeConfig configures a Runtime. The zero value is ready to use.
type RuntimeConfig struct {
	// Wazero is a wazero runtime to use; nil = a new one. Its owner closes it. CacheDir and
	// Interpreter have no effect on it. Other modules may run in it at the same time, also WASI
	// modules: wasport registers nothing under a name, and guests can reach only the modules in
	// HostModules.
	Wazero wazero.Runtime

	// HostFunctions are functions of the program that guests may import. Every guest may call them,
	// and no policy applies to them.
	HostFunctions []HostFunction

	// HostModules names modules in Wazero from which guests may import functions, in the same way.
	// The names must not be those of modules that wasport has. The modules must be instantiated
	// when a module that imports them is compiled, and while its guests start. Memories, tables and
	// globals cannot be imported. CallerOf tells a function in Go which guest calls it: the module
	// that wazero passes to it has no name.
	HostModules []string

	// CacheDir is a directory for compiled modules, so that the next process starts faster; empty =
	// none. Since the files in it are machine code, each is authenticated with a key, and a file
	// that does not match is compiled again. A guest does not start if one of its Dirs lets it
	// write to CacheDir or to the directory of the key.
	CacheDir string

	// CacheKeyFile is the file with the key. It is created if it does not exist. It must be outside
	// of CacheDir, and no other user may be able to read it. Empty = wasport/cache.key in
	// os.UserConfigDir.
	CacheKeyFile string

	// NoInterrupt compiles modules unchanged. By default wasport rewrites them: guests count their
	// steps and call the host at intervals, which lets it stop them and share the processors among
	// them, and makes them 10 to 30 % slower. A guest that is not rewritten and loops blocks the
	// whole process at the next garbage collection, for as long as it loops. So NoInterrupt is for
	// a single trusted guest.
	NoInterrupt bool

	// Interpreter runs guests without compiling them. They start sooner and run about 100 times
	// slower.
	Interpreter bool

	// ReserveMemory bounds the address space that a guest's linear memory reserves before the guest
	// needs it, in bytes; 0 = all that the memory may grow to, or, for a small memory on Linux, a
	// part of a range that several share. A reservation costs no memory on
	// most systems. Where it does, as in an SGX enclave, a small one leaves room for others; a
	// memory that outgrows it is copied to a larger one. Memory that threads share cannot be
	// copied, and reserves its maximum: Config.MaxMemory bounds that.
	ReserveMemory uint64
}

// Runtime compiles modules.
type Runtime struct{ engine *engine.Engine }

// NewRuntime makes a Runtime, which must be closed.
func NewRuntime(ctx context.Context, c RuntimeConfig) (*Runtime, error) {
	e, err := engine.New(ctx, engine.Config{
		Runtime: c.Wazero, Modules: c.HostModules,
		Functions: engineFunctions(c.HostFunctions), CacheDir: c.CacheDir,
		CacheKeyFile: c.CacheKeyFile, Interpreter: c.Interpreter, NoInterrupt: c.NoInterrupt,
		ReserveMemory: c.ReserveMemory,
	})
	if err != nil {
		return nil, err
	}
	return &Runtime{e}, nil
}

// Close releases the runtime and its modules, and no guest can be started any more. Guests that
// have not ended go on: Close returns at once, and the memory and code that they use are released
// with the last of them. A wazero runtime of the embedder's must stay open as long.
func (r *Runtime) Close(ctx context.Context) error { return r.engine.Close(ctx) }

// CompileConfig configures the compilation of a module.
type CompileConfig struct {
	// TrapUnknownImports replaces imported functions that wasport lacks, or has with another
	// signature, by functions that trap when called. Without it Compile fails with an *ImportError.
	// Globals, tables and unshared memories cannot be replaced: a module that imports one compiles,
	// so that it can be inspected, and Run fails with an *ImportError.
	TrapUnknownImports bool
}

// Compile compiles a core module or a component of WASI 0.2, in the binary format, and checks its
// imports. The error is one line; it is an *ImportError if wasport lacks an import.
//
// Compile returns when ctx ends, with an error that wraps the context's cause. The functions that
// are being compiled at that moment, one per processor, are finished in the background, in a time
// that the module's size bounds. Until then Close does not release the runtime, though it returns,
// and wasm must not be changed.
func (r *Runtime) Compile(ctx context.Context, wasm []byte, c CompileConfig) (*Module, error) {
	p, err := r.engine.Compile(ctx, wasm, engine.CompileOptions{TrapUnknown: c.TrapUnknownImports})
	if err != nil {
		return nil, publicError(err)
	}
	return &Module{p}, nil
}

// Module is a compiled core module or component.
type Module struct{ module engine.Program }

// Kind tells a core module from a component.
type Kind uint8

const (
	// CoreModule is a module of the WebAssembly Core Specification, built for WASI preview 1 or a
	// dialect of it.
	CoreModule Kind = iota

	// Component is a component of the component model, built for WASI 0.2.
	Component
)

// String returns "core module" or "component".
func (k Kind) String() string {
	if k == Component {
		return "component"
	}
	return "core module"
}

// Kind tells whether the module is a core module or a component.
func (m *Module) Kind() Kind {
	if _, ok := m.module.(*engine.Component); ok {
		return Component
	}
	return CoreModule
}

// Close releases the module, and no guest of it can be started any more. Guests that have not ended
// go on: Close returns at once, and the code that they use is released with the last of them.
func (m *Module) Close(ctx context.Context) error { return m.module.Close(ctx) }
