package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"github.com/wasport/wasport"
)

// readModule reads the file of a module until ctx ends: a FIFO without a writer blocks open(2), and
// one whose writer stays silent blocks read(2).
func readModule(ctx context.Context, file string) (wasm []byte, err error) {
	read := make(chan []byte, 1)
	err = callUntilDone(ctx, func() error {
		b, err := readFile(file, maxModuleSize, "\x00asm")
		read <- b
		return err
	})
	var path *fs.PathError
	switch {
	case err == nil:
		return <-read, nil
	case errors.Is(err, errTimeout):
		return nil, err
	case errors.Is(err, fs.ErrNotExist):
		return nil, usageError("", "%s: there is no such file", file)
	case errors.Is(err, syscall.EISDIR):
		return nil, usageError("", "%s: this is a directory; name a .wasm file in it", file)
	case errors.As(err, &path):
		err = path.Err
	}
	return nil, usageError("", "%s: %w", file, err)
}

// load reads and compiles the module, and reports the imports that it lacks.
func (f *runFlags) load(ctx context.Context, file string) (*wasport.Runtime, *wasport.Module,
	error) {
	wasm, err := readModule(ctx, file)
	if errors.Is(err, errTimeout) {
		return nil, nil, guestError(f.name, err)
	}
	if err != nil {
		return nil, nil, err
	}
	dir := ""
	if !f.cacheDisabled() {
		if dir, err = f.compiledDir(); err != nil {
			warnf("compiled modules are not kept: %v; --cache-dir DIR names a directory, "+
				"--no-cache needs none", err)
			dir = ""
		}
	}
	stopProgress := showCompiling(file)
	endDelay := delayCollections()
	rt, mod, err := compileCached(ctx, wasm, dir, f.runtime, f.compile)
	endDelay()
	stopProgress()
	if errors.Is(err, errTimeout) {
		return nil, nil, guestError(f.name, err)
	}
	if err != nil {
		return nil, nil, &exitError{statusUsage, unfitError(file, err)}
	}
	if err := checkImports(file, mod); err != nil {
		rt.Close(ctx)
		return nil, nil, err
	}
	return rt, mod, nil
}

// checkImports warns about missing functions, which --unknown-imports=trap replaces. Nothing can
// replace a missing memory, table or global.
func checkImports(file string, mod *wasport.Module) error {
	imports := mod.Imports()
	if !slices.ContainsFunc(imports, func(i wasport.Import) bool { return !i.OK() }) {
		return nil // A function that wasport has is of none of the foreign dialects.
	}
	if list := joinDialects(foreignDialects(imports)); list != "" {
		warnf("%s: it is built for %s, which wasport does not have", file, list)
	}
	for _, i := range imports {
		switch {
		case i.OK():
		case i.IsFunction():
			warnf("%s: it imports %v; a call of it will trap", file, i)
		default:
			return &exitError{statusUsage,
				unfitError(file, &wasport.ImportError{Imports: []wasport.Import{i}})}
		}
	}
	return nil
}

// foreignDialects returns the dialects among these imports that only other hosts offer.
func foreignDialects(imports []wasport.Import) []wasport.Dialect {
	return slices.DeleteFunc(wasport.Dialects(imports),
		func(d wasport.Dialect) bool { return !d.Foreign() })
}

// unfitError is the error for a file that cannot be run.
func unfitError(file string, err error) error {
	var lacking *wasport.ImportError
	if !errors.As(err, &lacking) {
		return fmt.Errorf("%s: %w", file, err)
	}
	if slices.ContainsFunc(lacking.Imports,
		func(i wasport.Import) bool { return i.Name == "__linear_memory" }) {
		return fmt.Errorf("%s: this is an object file; link it first: wasport cc %[1]s -o "+
			"MODULE.wasm", file)
	}
	text := file + ": it imports what cannot be supplied:\n"
	if list := joinDialects(foreignDialects(lacking.Imports)); list != "" {
		text = fmt.Sprintf("%s: it is built for %s, which wasport does not have:\n", file, list)
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
