// Package wasport runs WebAssembly modules that use the network: modules built for WASI preview 1
// and for the socket functions that WAMR added to it, unchanged, on the host's own sockets, as far
// as a policy allows.
//
// A [Runtime] compiles modules; a [Module] is compiled once and run any number of times, also
// concurrently; each run is a guest with files, sockets and a policy of its own, given by a
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
// This package is the front door and nothing else: it turns a configuration into the parts of a
// guest and puts them together. What a network is, and how to bring one of your own, is in package
// network; the rules that guard it are in package policy.
package wasport

import (
	"context"

	"github.com/tetratelabs/wazero"

	"github.com/wasport/wasport/internal/engine"
)

// RuntimeConfig says how modules are compiled and run. The zero value is a good one.
type RuntimeConfig struct {
	// Wazero is a runtime to use instead of one of our own; closing it is up to its owner. CacheDir
	// and Interpreter then mean nothing. Modules of other kinds may run in it at the same time,
	// WASI ones among them: nothing is registered under a name, and guests reach none of them but
	// those that HostModules lists.
	Wazero wazero.Runtime

	// HostModules are the names of modules in Wazero whose exported functions guests may import:
	// what these functions do, every guest may do, past its policy. They must be instantiated when
	// a module that imports them is compiled, and while its guests start. A name that is listed
	// stands for that module alone, also where wasport has functions under it. Memories, tables and
	// globals cannot be imported from them.
	HostModules []string

	// CacheDir is a directory where compiled modules are kept, so that the next process starts
	// faster. Empty = none. What is in it is run, so it is authenticated with a key, and what has
	// been changed is compiled anew. A guest does not start if one of its Dirs would let it write
	// to the cache or to the directory of its key.
	CacheDir string

	// CacheKeyFile is the file of that key, which is made if it does not exist. It must lie outside
	// of CacheDir and must be readable by nobody else. Empty = wasport/cache.key in
	// os.UserConfigDir.
	CacheKeyFile string

	// NoInterrupt compiles modules as they are. By default they are rewritten, so that guests that
	// compute can be stopped and share the processors: they count their steps and now and then call
	// the host. It makes them some 10 to 30 % slower. Without it, a guest in a loop holds up the
	// whole process at its next garbage collection, for as long as it loops; so this is for a
	// single guest that is trusted.
	NoInterrupt bool

	// Interpreter runs guests without compiling them: starts sooner, runs some hundred times
	// slower.
	Interpreter bool
}

// Runtime compiles modules. It may be used from several goroutines.
type Runtime struct{ engine *engine.Engine }

// NewRuntime makes a runtime. It must be closed.
func NewRuntime(ctx context.Context, c RuntimeConfig) (*Runtime, error) {
	e, err := engine.New(ctx, engine.Config{
		Runtime: c.Wazero, Modules: c.HostModules, CacheDir: c.CacheDir,
		CacheKeyFile: c.CacheKeyFile, Interpreter: c.Interpreter, NoInterrupt: c.NoInterrupt,
	})
	if err != nil {
		return nil, err
	}
	return &Runtime{e}, nil
}

// Close releases the runtime and its modules, after all guests have ended.
func (r *Runtime) Close(ctx context.Context) error { return r.engine.Close(ctx) }

// CompileConfig says how a module is compiled.
type CompileConfig struct {
	// TrapUnknownImports replaces functions that wasport does not have, or has with another
	// signature, by ones that trap when they are called. Without it Compile fails with an
	// *ImportError. Nothing replaces globals, tables, and memories that threads do not share: a
	// module that imports one then compiles, for looking at it, and Run fails with an *ImportError.
	TrapUnknownImports bool
}

// Compile compiles a core module in the binary format and checks its imports. The error says what
// is wrong in one line; it is an *ImportError if the module imports what wasport lacks.
//
// It returns at the end of ctx, with an error that wraps its cause. What compiles at that moment, a
// function for each processor, goes on in the background until it is done, which is bounded by the
// module's size; until then the runtime is not released, though Close returns, and wasm must not
// change.
func (r *Runtime) Compile(ctx context.Context, wasm []byte, c CompileConfig) (*Module, error) {
	m, err := r.engine.Compile(ctx, wasm, engine.CompileOptions{TrapUnknown: c.TrapUnknownImports})
	if err != nil {
		return nil, publicError(err)
	}
	return &Module{m}, nil
}

// Module is a compiled module. It may be used from several goroutines.
type Module struct{ module *engine.Module }

// Close releases the module, after all of its guests have ended.
func (m *Module) Close(ctx context.Context) error { return m.module.Close(ctx) }
