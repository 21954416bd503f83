package engine

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasport/wasport/internal/abi"
	"github.com/wasport/wasport/internal/engine/codecache"
	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/printable"
)

// compiledCore is a core module that wazero has compiled.
type compiledCore struct {
	wazero.CompiledModule

	// binary is the module as it was compiled.
	binary []byte

	// needs are zero if the module was not rewritten.
	needs interrupt.Needs
}

// compileCached rewrites a module and compiles it, or takes the results of both from the cache.
// Without options the module is not rewritten.
func (e *Engine) compileCached(
	ctx context.Context, source []byte, o *interrupt.Options,
) (c compiledCore, err error) {
	prepare := func() (codecache.Prepared, error) { return prepare(source, o) }
	compile := func(p codecache.Prepared) (err error) {
		c.binary, c.needs = p.Module, decodeNeeds(p.Notes)
		c.CompiledModule, err = e.compileBinary(ctx, p.Module)
		return err
	}
	if e.codeCache != nil {
		source := codecache.Source{Module: source, Recipe: e.recipe(o)}
		err = e.codeCache.Compile(ctx, source, prepare, compile)
		return c, err
	}
	p, err := prepare()
	if err == nil {
		err = compile(p)
	}
	return c, err
}

func prepare(source []byte, o *interrupt.Options) (codecache.Prepared, error) {
	if o == nil {
		return codecache.Prepared{Module: source, Notes: encodeNeeds(interrupt.Needs{})}, nil
	}
	rewritten, needs, err := interrupt.Rewrite(source, *o)
	if err != nil {
		// wazero must not see such a module. It accepts some invalid ones, which would run without
		// limits, and it allocates as much as a module declares.
		return codecache.Prepared{}, err
	}
	return codecache.Prepared{Module: rewritten, Notes: encodeNeeds(needs)}, nil
}

func encodeNeeds(n interrupt.Needs) []byte {
	b, err := binary.Append(nil, binary.LittleEndian, n)
	if err != nil {
		panic(err) // It has numbers and truth values alone.
	}
	return b
}

// decodeNeeds decodes the result of encodeNeeds, which the cache has authenticated.
func decodeNeeds(b []byte) (n interrupt.Needs) {
	if _, err := binary.Decode(b, binary.LittleEndian, &n); err != nil {
		panic(err)
	}
	return n
}

// recipe tells all that the result of prepare depends on besides the module. The answers of
// o.Overloaded follow from the tables of package abi and the names of the embedder's modules.
func (e *Engine) recipe(o *interrupt.Options) string {
	if o == nil {
		return "as it is"
	}
	options := *o
	options.Overloaded = nil
	recipe := fmt.Sprintf("%s\n%+v\n", interrupt.Version, options)
	if o.Overloaded == nil {
		return recipe
	}
	return recipe + abi.OverloadedNames(func(module string) bool {
		_, listed := e.embedderModules[module]
		return !listed
	})
}

// compileBinary has wazero compile a module.
func (e *Engine) compileBinary(
	ctx context.Context, binary []byte,
) (wazero.CompiledModule, error) {
	ctx = withCompilationWorkers(ctx)
	compiled, err := e.runtime.CompileModule(ctx, binary)
	if codecache.IsStoreError(err) {
		// The second call finds the module in memory. Close takes back the use that wazero counted
		// for the first; the module stays for the second.
		if compiled, err = e.runtime.CompileModule(ctx, binary); err == nil {
			compiled.Close(ctx)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("invalid module: %w", printable.Error(err))
	}
	return compiled, nil
}

// withCompilationWorkers has wazero compile on all processors. By default it uses one.
func withCompilationWorkers(ctx context.Context) context.Context {
	return experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0))
}
