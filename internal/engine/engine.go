// Package engine compiles and runs guests on wazero. It compiles a module, checks and supplies its
// imports, starts a guest and its threads, ends it, and reports the reason of its end. A component
// is a program of core modules, which component/link has planned: the engine makes an instance of
// each, and supplies the functions that component/canon calls with values.
//
// Only this package with those below it, internal/abi and the root package import wazero, and they
// use its public API alone. The imported functions themselves are in internal/abi. Rewriting a
// module so that it can be interrupted is in engine/interrupt, linear memory in engine/memory,
// atomic wait and notify in engine/futex, and the cache of machine code in engine/codecache.
//
// Engine and Module may be used from several goroutines. An instance has one goroutine per thread.
// Lock order: useCount.mu before wazero's locks, instance.mu before that of memory.Memory. The two
// of this package are never held together.
package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

	"github.com/wasport/wasport/internal/engine/codecache"
	"github.com/wasport/wasport/internal/engine/memory"
	"github.com/wasport/wasport/internal/sched"
)

// Config is the configuration of an engine.
type Config struct {
	// Runtime is a runtime of the embedder's, which the embedder closes. CacheDir, CacheKeyFile and
	// Interpreter are ignored with it. Nil means that the engine makes a runtime and closes it.
	Runtime wazero.Runtime

	// Modules are the names of the modules in Runtime that guests may import functions from. Guests
	// reach no other module of it.
	Modules []string

	// Functions are functions of the embedder's that guests may import.
	Functions []HostFunction

	// CacheDir is the directory that keeps compiled modules. Empty means that none are kept.
	CacheDir string

	// CacheKeyFile is the file with the key that authenticates compiled modules. Empty means
	// codecache.DefaultKeyFile.
	CacheKeyFile string

	// Interpreter interprets modules instead of compiling them.
	Interpreter bool

	// NoInterrupt runs modules as they are. A computing guest then blocks the whole process at its
	// next garbage collection, and cannot be ended before it calls the host.
	NoInterrupt bool

	// ReserveMemory is memory.Config.Reserve of every guest.
	ReserveMemory uint64
}

// Engine compiles modules and runs guests. It may be used from several goroutines.
type Engine struct {
	// uses counts the running guests and compilations. The engine is released after the last.
	uses        useCount
	scheduler   *sched.Scheduler
	noInterrupt bool
	// reserveMemory is Config.ReserveMemory.
	reserveMemory uint64
	// memories supplies the guests' memories.
	memories memory.Pool
	// tickInterval is the number of loop iterations and calls between two ticks.
	tickInterval uint32

	// ownsRuntime is set if New made the runtime. Closing the engine then closes it.
	ownsRuntime bool
	runtime     wazero.Runtime

	// cache is nil if the runtime is the embedder's.
	cache wazero.CompilationCache

	// codeCache is nil if compiled modules are not kept.
	codeCache *codecache.Cache

	// embedderModules are the functions of Config.Functions, by module and name. The modules of
	// Config.Modules are nil.
	embedderModules map[string]map[string]*HostFunction

	// emptyModule has no exports. Imports from a name that guests may not reach resolve to it.
	emptyModule api.Module
}

// features are the WebAssembly features that a guest may use. Exception handling is not among them:
// with wazero's, a guest can make the host use freed memory (wazero issue 2522).
const features = api.CoreFeaturesV2 | experimental.CoreFeaturesThreads |
	experimental.CoreFeaturesTailCall |
	experimental.CoreFeaturesExtendedConst

// New makes an engine. The caller closes it.
func New(ctx context.Context, c Config) (*Engine, error) {
	if c.Runtime != nil {
		return (&Engine{
			runtime: c.Runtime, noInterrupt: c.NoInterrupt, reserveMemory: c.ReserveMemory,
			tickInterval: tickInterval,
		}).initialize(ctx, c)
	}
	if len(c.Modules) > 0 {
		return nil, fmt.Errorf("modules %q to import from, but no wazero runtime that has them",
			c.Modules)
	}
	e := &Engine{ownsRuntime: true, noInterrupt: c.NoInterrupt, reserveMemory: c.ReserveMemory,
		tickInterval: tickInterval}
	rc := wazero.NewRuntimeConfig()
	if c.Interpreter {
		rc, e.tickInterval = wazero.NewRuntimeConfigInterpreter(), interpretedTickInterval
	}
	e.cache = wazero.NewCompilationCache()
	if c.CacheDir != "" {
		if err := e.openCache(c.CacheDir, c.CacheKeyFile); err != nil {
			return nil, fmt.Errorf("cache of compiled modules: %w", err)
		}
	}
	e.runtime = wazero.NewRuntimeWithConfig(ctx,
		rc.WithCoreFeatures(features).WithCompilationCache(e.cache))
	return e.initialize(ctx, c)
}

func (e *Engine) openCache(dir, keyFile string) (err error) {
	if keyFile == "" {
		if keyFile, err = codecache.DefaultKeyFile(); err != nil {
			return err
		}
	}
	if e.codeCache, err = codecache.Open(dir, keyFile); err == nil {
		e.cache = e.codeCache.Wazero
	}
	return err
}

// CachePaths returns the directory of compiled modules and the directory of their key. A guest that
// could write to both could make the process run any machine code. They are empty if compiled
// modules are not kept.
func (e *Engine) CachePaths() (dir, keyDir string) {
	if e.codeCache == nil {
		return "", ""
	}
	return e.codeCache.Paths()
}

// initialize sets the fields that every engine has. It closes the engine if it fails.
func (e *Engine) initialize(ctx context.Context, c Config) (*Engine, error) {
	e.scheduler = sched.New()
	err := e.addEmbedderModules(c)
	if err != nil {
		return nil, errors.Join(err, e.Close(ctx))
	}
	// Engine.cache does not keep a host module.
	empty, err := e.runtime.NewHostModuleBuilder("nothing").Compile(ctx)
	if err == nil {
		e.emptyModule, err = e.runtime.InstantiateModule(ctx, empty, anonymousConfig)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("an empty module: %w", err), e.Close(ctx))
	}
	return e, nil
}

// Close releases the engine and all of its modules once no guest runs. It does not wait: a guest
// that is inside a host function delays the release until the function returns.
func (e *Engine) Close(ctx context.Context) error {
	return e.uses.close(func() error { return e.release(ctx) })
}

func (e *Engine) release(ctx context.Context) error {
	e.scheduler.Close()
	e.memories.Close()
	if !e.ownsRuntime {
		if e.emptyModule == nil {
			return nil
		}
		return e.emptyModule.Close(ctx)
	}
	err := errors.Join(e.runtime.Close(ctx), e.cache.Close(ctx))
	if e.codeCache != nil {
		err = errors.Join(err, e.codeCache.Close())
	}
	return err
}

// anonymousConfig is the configuration of every instance.
//
//   - It has no name, so that a runtime can hold any number of instances.
//   - It has a source of random numbers. Without, wazero seeds one per instance, which takes 15 µs
//     and 5 KiB.
//   - It has clocks. Without, wazero makes some for each instance.
//   - It has no start function. Module.Run calls the entry once the instance is complete.
var anonymousConfig = wazero.NewModuleConfig().WithName("").WithRandSource(rand.Reader).
	WithWalltime(func() (int64, int32) { return 0, 0 }, sys.ClockResolution(time.Microsecond)).
	WithNanotime(func() int64 { return 0 }, sys.ClockResolution(1)).WithStartFunctions()
