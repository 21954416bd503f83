// Command containerd-shim-wasport-v1 lets containerd run WebAssembly under a policy for the
// network. containerd finds it in its PATH by the name of the runtime, io.containerd.wasport.v1,
// and runs it.
//
// Build it with CGO_ENABLED=0: a program with cgo cannot give up capabilities in all its threads.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/wasport/wasport/contrib/containerd/internal/bootstrap"
	"github.com/wasport/wasport/contrib/containerd/internal/child"
)

func main() {
	if filepath.Base(os.Args[0]) == child.Command {
		os.Exit(child.Main())
	}
	out, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "containerd-shim-wasport-v1: %v\n", err)
		os.Exit(1)
	}
	os.Stdout.Write(out)
}

// run runs an action and returns its output.
func run(args []string) ([]byte, error) {
	f, err := bootstrap.ParseFlags(args)
	switch {
	case err != nil:
		return nil, err
	case f.Version:
		return fmt.Appendf(nil, "containerd-shim-wasport-v1 %s\n", version()), nil
	case f.Info:
		return bootstrap.Info(version())
	}
	switch f.Action {
	case "start":
		return bootstrap.Start(f, os.Stdin)
	case "delete":
		return bootstrap.Delete(f)
	case "serve":
		return nil, bootstrap.Serve(f)
	}
	return nil, fmt.Errorf("there is no action %q", f.Action)
}

// version is the version of the module that the program was built from.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
