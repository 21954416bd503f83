package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/wasport/wasport"
)

// readModule reads a file that should be a module.
func readModule(file string) ([]byte, error) {
	wasm, err := os.ReadFile(file)
	switch {
	case err == nil:
		return wasm, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, usage("", "%s: there is no such file", file)
	case errors.Is(err, syscall.EISDIR):
		return nil, usage("", "%s: this is a directory; name a .wasm file in it", file)
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return nil, usage("", "%s: %w", file, err)
}

// load compiles the module, and says what it lacks.
func (f *runFlags) load(ctx context.Context, file string, wasm []byte) (*wasport.Runtime,
	*wasport.Module, error) {
	dir := ""
	if !f.uncached() {
		var err error
		if dir, err = f.cachePath(); err != nil {
			warn("compiled modules are not kept: %v; --cache-dir DIR names a directory, "+
				"--no-cache needs none", err)
			dir = ""
		}
	}
	compiled := showCompiling(file)
	rt, mod, err := runtimeFor(ctx, wasm, dir, f.runtime, f.compile)
	compiled()
	if errors.Is(err, errTimeout) {
		return nil, nil, &exit{statusTimeout, fmt.Errorf("%s: %w", file, err)}
	}
	if err != nil {
		return nil, nil, &exit{statusUsage, unfit(file, err)}
	}
	if built := joinDialects(foreign(mod.Imports())); built != "" {
		warn("%s: it is built for %s, which wasport does not have", file, built)
	}
	for _, i := range mod.Imports() {
		if !i.OK() && !i.IsFunction() {
			rt.Close(ctx)
			return nil, nil, &exit{statusUsage,
				unfit(file, &wasport.ImportError{Imports: []wasport.Import{i}})}
		}
		if !i.OK() {
			warn("%s: it imports %v; a call of it will trap", file, i)
		}
	}
	return rt, mod, nil
}

// foreign tells which dialects of other hosts have imports among these.
func foreign(imports []wasport.Import) []wasport.Dialect {
	return slices.DeleteFunc(wasport.Dialects(imports),
		func(d wasport.Dialect) bool { return !d.Foreign() })
}

// unfit says why a file cannot be run.
func unfit(file string, err error) error {
	var lacking *wasport.ImportError
	if !errors.As(err, &lacking) {
		return fmt.Errorf("%s: %w", file, err)
	}
	text := file + ": it imports what cannot be supplied:\n"
	if built := joinDialects(foreign(lacking.Imports)); built != "" {
		text = fmt.Sprintf("%s: it is built for %s, which wasport does not have:\n", file, built)
	}
	functions := true
	for _, i := range lacking.Imports {
		text += "  " + i.String() + "\n"
		functions = functions && i.IsFunction()
	}
	if !functions {
		return errors.New(strings.TrimSuffix(text, "\n"))
	}
	return errors.New(text + "to run it nevertheless, with functions in their place that trap " +
		"when they are called: --unknown-imports=trap")
}
