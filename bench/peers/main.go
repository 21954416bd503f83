// Command peers runs a component for WASI 0.2 in wazy, another host in Go, with all of TCP, UDP and
// standard output, so that it can be measured beside wasport. docs/performance.md says how.
//
//	peers FILE.wasm [ARGUMENT...]
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/samyfodil/wazy"
	"github.com/samyfodil/wazy/component"
	"github.com/samyfodil/wazy/imports/wasip2"
	"github.com/samyfodil/wazy/sys"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: peers FILE.wasm [ARGUMENT...]")
		os.Exit(2)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// run runs the component in the file that is the first argument. wazy puts a name before the rest.
func run(args []string) error {
	file, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	ctx := context.Background()
	r := wazy.NewRuntime(ctx)
	defer r.Close(ctx)
	i, err := component.Instantiate(ctx, r, file, wasip2.With(wasip2.Config{Stdout: os.Stdout,
		Stderr: os.Stderr, Args: args[1:], AllowTCP: true, AllowUDP: true})...)
	if err != nil {
		return err
	}
	defer i.Close(ctx)
	for _, name := range i.InstanceExports() {
		if !strings.HasPrefix(name, "wasi:cli/run@") {
			continue
		}
		_, err := i.CallExport(ctx, name, "run")
		if exit, ok := errors.AsType[*sys.ExitError](err); ok && exit.ExitCode() == 0 {
			return nil
		}
		return err
	}
	return errors.New("the component exports no wasi:cli/run")
}
