package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	guestc "github.com/wasport/wasport/guest/c"
)

const ccHelp = `wasport cc ARGS...  compiles C for wasport, wasport c++ ARGS... C++: with clang, wasport's headers and its library.

The arguments are clang's, which gets them as they are, and can be all that make and configure scripts come up with. -o names the module.

  wasport cc server.c -o server.wasm
  ./configure --host=wasm32-wasi CC="wasport cc"

-DWASPORT_EXT=0 uses WAMR's functions only, so that the module also runs on iwasm.

Environment
  WASI_SDK_PATH   where a wasi-sdk is; otherwise clang is taken from the PATH
  WASI_SYSROOT    where wasi-libc is, if not where Debian or the wasi-sdk has it

Exit status: clang's.
`

func ccPage() page { return page{command: "cc", before: ccHelp} }

// compiler is the subcommand cc or, with cxx, c++.
func compiler(name string, cxx bool) func(args []string) error {
	return func(args []string) error {
		if len(args) == 0 {
			return usage(name, "there is nothing to compile: wasport %s FILE... -o MODULE.wasm",
				name)
		}
		if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
			ccPage().help(os.Stdout)
			return nil
		}
		ctx, stop := untilSignal(context.Background())
		defer stop()
		err := compileWith(ctx, cxx, args)
		var signal signalled
		if errors.As(context.Cause(ctx), &signal) {
			return &exit{status: statusSignal + int(signal.Signal)}
		}
		return err
	}
}

func compileWith(ctx context.Context, cxx bool, args []string) error {
	toolchain, err := guestc.Find(os.Getenv)
	if err != nil {
		return err
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("there is nowhere to keep the C library: %w", err)
	}
	dir = filepath.Join(dir, "wasport")
	if err := ownDirectory(dir); err != nil {
		return fmt.Errorf("there is nowhere to keep the C library: %w", err)
	}
	library, err := toolchain.Library(ctx, dir)
	if err != nil {
		return err
	}
	cmd, err := library.Command(ctx, cxx, args...)
	if err != nil {
		return err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	var failed *exec.ExitError
	if errors.As(err, &failed) && failed.Exited() {
		return &exit{status: failed.ExitCode()} // it has said why
	}
	return err
}
