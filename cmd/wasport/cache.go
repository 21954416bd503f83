package main

import (
	"context"
	"fmt"
	"os"

	"github.com/wasport/wasport"
)

// runtimeFor makes a runtime and compiles a module in it, with the compiled module kept in a
// directory. The directory is a convenience: whatever is wrong with it is said in one line, and the
// module is compiled without it.
func runtimeFor(ctx context.Context, wasm []byte, dir string, rc wasport.RuntimeConfig,
	cc wasport.CompileConfig) (*wasport.Runtime, *wasport.Module, error) {
	if dir != "" {
		err := ownDirectory(dir)
		if err == nil {
			cached := rc
			cached.CacheDir = dir
			var rt *wasport.Runtime
			var mod *wasport.Module
			if rt, mod, err = compile(ctx, wasm, cached, cc); err == nil {
				return rt, mod, nil
			}
		}
		rt, mod, without := compile(ctx, wasm, rc, cc)
		if without == nil { // so it was not the module
			warn("compiled modules are not kept: %v; --cache-dir DIR names another directory, "+
				"--no-cache needs none", err)
		}
		return rt, mod, without
	}
	return compile(ctx, wasm, rc, cc)
}

func compile(ctx context.Context, wasm []byte, rc wasport.RuntimeConfig,
	cc wasport.CompileConfig) (*wasport.Runtime, *wasport.Module, error) {
	rt, err := wasport.NewRuntime(ctx, rc)
	if err != nil {
		return nil, nil, err
	}
	mod, err := rt.Compile(ctx, wasm, cc)
	if err != nil {
		rt.Close(ctx)
		return nil, nil, err
	}
	return rt, mod, nil
}

// ownDirectory makes sure that a directory is there and that nobody else writes to it: what lies in
// it is run.
func ownDirectory(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if why := othersWrite(info); why != "" {
		return fmt.Errorf("%s %s", dir, why)
	}
	return nil
}
