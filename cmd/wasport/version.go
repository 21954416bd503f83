package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

func versionPage() page {
	return page{command: "version", before: "wasport version prints the version.\n"}
}

// runVersion is the subcommand version.
func runVersion(args []string) error {
	rest, done, err := versionPage().parse(args)
	if done || err != nil {
		return err
	}
	if len(rest) > 0 {
		return usageError("", "version takes no arguments")
	}
	own, engine := "(unknown)", "(unknown)"
	if b, ok := debug.ReadBuildInfo(); ok {
		own = b.Main.Version
		for _, d := range b.Deps {
			if d.Path == "github.com/tetratelabs/wazero" {
				engine = d.Version
			}
		}
	}
	fmt.Printf("wasport %s, wazero %s, %s, %s/%s\n", own, engine, runtime.Version(), runtime.GOOS,
		runtime.GOARCH)
	return nil
}
