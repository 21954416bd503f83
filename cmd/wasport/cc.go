package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	guestc "github.com/wasport/wasport/guest/c"
)

const ccHelp = `wasport cc ARGS... compiles C to a WebAssembly module, and wasport c++ ARGS... compiles C++.

They call clang with wasport's headers and library. ARGS are clang's own, and pass unchanged, so
that make and configure scripts work. -o names the module.

  wasport cc server.c -o server.wasm
  ./configure --host=wasm32-wasi CC="wasport cc"

With -pthread the module has threads, if the C library has: that of a wasi-sdk, but none of Debian.

A module that is compiled with -DWASPORT_EXT=0 uses only functions of WAMR, and also runs on iwasm.

Environment
  WASI_SDK_PATH   directory of a wasi-sdk; without it, clang is searched in PATH
  WASI_SYSROOT    directory of wasi-libc, if neither Debian's nor the wasi-sdk's

The exit status is clang's.
`

func ccPage() page { return page{command: "cc", before: ccHelp} }

// exceptionFlags make clang emit WebAssembly's exceptions, which the engine refuses.
var exceptionFlags = []string{"-fwasm-exceptions", "-mexception-handling", "-wasm-enable-eh",
	"-wasm-enable-sjlj"}

// ccCommand returns the subcommand cc or, with cxx, c++.
func ccCommand(name string, cxx bool) func(args []string) error {
	return func(args []string) error {
		if len(args) == 0 {
			return usageError(name,
				"there is nothing to compile: wasport %s FILE... -o MODULE.wasm", name)
		}
		if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
			ccPage().help(stdout)
			return nil
		}
		for _, a := range args {
			if slices.Contains(exceptionFlags, a) {
				return usageError(name, "%s: wasport runs no WebAssembly exceptions, see "+
					"https://github.com/wasport/wasport/blob/main/docs/c/porting.md"+
					"#setjmp-and-exceptions", a)
			}
		}
		if err := checkCompilerOutput(name, args); err != nil {
			return err
		}
		ctx, stop := withSignals(context.Background())
		defer stop()
		err := runClang(ctx, cxx, args)
		var signal signalError
		if errors.As(context.Cause(ctx), &signal) {
			return &exitError{status: statusSignal + int(signal.Signal)}
		}
		return err
	}
}

func runClang(ctx context.Context, cxx bool, args []string) error {
	find := guestc.Find
	if guestc.WantsThreads(args) {
		find = guestc.FindThreads
	}
	toolchain, err := find(os.Getenv)
	if err != nil {
		return err
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("there is nowhere to keep the C library: %w; set XDG_CACHE_HOME to a "+
			"directory for it", err)
	}
	dir = filepath.Join(dir, "wasport")
	if err := makePrivateDir(dir); err != nil {
		return fmt.Errorf("there is nowhere to keep the C library: %w", err)
	}
	library, err := toolchain.Library(ctx, dir)
	if err != nil {
		return err
	}
	links := guestc.LinksModule(args)
	if links {
		args = append(slices.Clip(args), traceProcessFunctions()...)
	}
	cmd, err := library.Command(ctx, cxx, args...)
	if err != nil {
		return err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if links {
		warner := &linkWarner{out: stdout}
		cmd.Stdout = warner
		defer warner.warn(os.Stderr)
	}
	err = cmd.Run()
	var failed *exec.ExitError
	if errors.As(err, &failed) && failed.Exited() {
		return &exitError{status: failed.ExitCode()} // clang has printed the reason
	}
	return err
}
