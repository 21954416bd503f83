// Package engine compiles and runs guests on wazero: compiling, checking and supplying what a
// module imports, starting a guest and its threads, ending it, and saying why it ended.
//
// Together with internal/abi it is the only place that knows wazero, and it uses wazero's public
// API alone. What imported functions do is not its business.
package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasport/wasport/internal/engine/codecache"
	"github.com/wasport/wasport/internal/sched"
)

// Config says how guests are run.
type Config struct {
	// Runtime is a runtime that the embedder already has, and closes; then the other fields mean
	// nothing. Nil = one of our own.
	Runtime wazero.Runtime

	// Modules are the names of the modules in Runtime whose functions guests may import. No other
	// module of it can be reached.
	Modules []string

	CacheDir     string // where compiled modules are kept; empty = in memory only
	CacheKeyFile string // of the key that authenticates them; empty = the user's
	Interpreter  bool   // interpret instead of compiling

	// NoInterrupt leaves modules as they are. A guest that computes then holds up the whole process
	// at its next garbage collection, and cannot be ended before it calls the host.
	NoInterrupt bool
}

// Engine compiles modules and runs guests. It may be used from several goroutines.
type Engine struct {
	users   users
	runtime wazero.Runtime
	cache   wazero.CompilationCache // nil when the runtime is not ours
	kept    *codecache.Cache        // nil when compiled modules are not kept

	modules map[string]struct{} // of the runtime, which guests may import functions from
	nothing api.Module          // has no exports

	owned, noInterrupt bool
	scheduler          *sched.Scheduler
}

// features are what a guest may use. Exception handling is not among them: wazero's can be made to
// use freed memory of the host (wazero issue 2522).
const features = api.CoreFeaturesV2 | experimental.CoreFeaturesThreads |
	experimental.CoreFeaturesTailCall |
	experimental.CoreFeaturesExtendedConst

// New makes an engine. It must be closed.
func New(ctx context.Context, c Config) (*Engine, error) {
	if c.Runtime != nil {
		return (&Engine{runtime: c.Runtime, noInterrupt: c.NoInterrupt}).ready(ctx, c.Modules)
	}
	e := &Engine{owned: true, noInterrupt: c.NoInterrupt}
	rc := wazero.NewRuntimeConfig()
	if c.Interpreter {
		rc = wazero.NewRuntimeConfigInterpreter()
	}
	e.cache = wazero.NewCompilationCache()
	if c.CacheDir != "" {
		if err := e.openCache(c.CacheDir, c.CacheKeyFile); err != nil {
			return nil, fmt.Errorf("cache of compiled modules: %w", err)
		}
	}
	e.runtime = wazero.NewRuntimeWithConfig(ctx,
		rc.WithCoreFeatures(features).WithCompilationCache(e.cache))
	return e.ready(ctx, nil)
}

func (e *Engine) openCache(dir, keyFile string) (err error) {
	if keyFile == "" {
		if keyFile, err = codecache.DefaultKeyFile(); err != nil {
			return err
		}
	}
	if e.kept, err = codecache.Open(dir, keyFile); err == nil {
		e.cache = e.kept.Wazero
	}
	return err
}

// CachePaths are the directory of compiled modules and that of the key to them. What could write
// there could have the process run any machine code. They are empty if there is no such cache.
func (e *Engine) CachePaths() (dir, keyDir string) {
	if e.kept == nil {
		return "", ""
	}
	return e.kept.Paths()
}

// ready makes what every engine has.
func (e *Engine) ready(ctx context.Context, modules []string) (*Engine, error) {
	e.scheduler = sched.New()
	e.modules = make(map[string]struct{})
	for _, name := range modules {
		e.modules[name] = struct{}{}
	}
	// which is never kept in a cache
	nothing, err := e.runtime.NewHostModuleBuilder("nothing").Compile(ctx)
	if err == nil {
		e.nothing, err = e.runtime.InstantiateModule(ctx, nothing, anonymous)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("an empty module: %w", err), e.Close(ctx))
	}
	return e, nil
}

// Close releases the engine and all of its modules, once no guest runs. One that is stuck in the
// host keeps them until it comes back.
func (e *Engine) Close(ctx context.Context) error {
	return e.users.close(func() error { return e.release(ctx) })
}

func (e *Engine) release(ctx context.Context) error {
	e.scheduler.Close()
	if !e.owned {
		if e.nothing == nil {
			return nil
		}
		return e.nothing.Close(ctx)
	}
	err := errors.Join(e.runtime.Close(ctx), e.cache.Close(ctx))
	if e.kept != nil {
		err = errors.Join(err, e.kept.Close())
	}
	return err
}

// anonymous is the configuration of every instance: without a name, so that any number of them can
// be there at once; with a source of random numbers, since wazero would otherwise seed one of its
// own for 15 µs and 5 KiB each, and without a start function, which is called when everything else
// is ready.
var anonymous = wazero.NewModuleConfig().WithName("").WithRandSource(rand.Reader).WithStartFunctions()
