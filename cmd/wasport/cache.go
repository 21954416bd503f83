package main

import (
	"context"
	"fmt"
	"os"

	"github.com/wasport/wasport"
)

// compileCached makes a runtime and compiles a module in it. It caches the compiled module in dir,
// unless that is empty. If the cache fails, compileCached warns and compiles without it.
func compileCached(ctx context.Context, wasm []byte, dir string, rc wasport.RuntimeConfig,
	cc wasport.CompileConfig) (*wasport.Runtime, *wasport.Module, error) {
	if dir != "" {
		err := makePrivateDir(dir)
		if err == nil {
			cached := rc
			cached.CacheDir = dir
			var rt *wasport.Runtime
			var mod *wasport.Module
			if rt, mod, err = compile(ctx, wasm, cached, cc); err == nil {
				return rt, mod, nil
			}
		}
		rt, mod, moduleErr := compile(ctx, wasm, rc, cc)
		if moduleErr == nil { // so the cache failed, not the module
			warnf("compiled modules are not kept: %v; --cache-dir DIR names another directory, "+
				"--no-cache needs none", err)
		}
		return rt, mod, moduleErr
	}
	return compile(ctx, wasm, rc, cc)
}

func compile(ctx context.Context, wasm []byte, rc wasport.RuntimeConfig,
	cc wasport.CompileConfig) (*wasport.Runtime, *wasport.Module, error) {
	rt, err := newRuntime(ctx, rc)
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

// makePrivateDir creates a directory if it does not exist, and refuses one that other users may
// write to: wasport executes the machine code in it.
func makePrivateDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if reason := sharedWriters(info); reason != "" {
		return fmt.Errorf("%s %s", dir, reason)
	}
	return nil
}
