package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

func versionPage() page {
	return page{command: "version",
		before: "wasport version prints the version, the commit and those of wazero and Go.\n"}
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
	info, _ := debug.ReadBuildInfo()
	fmt.Fprintln(stdout, versionLine(info))
	return nil
}

// versionLine tells the versions that Go has put into the program. The commit is known if it was
// built in a clone; the version of `go install` of a module names it otherwise. A nil info is that
// of a program built without modules.
func versionLine(info *debug.BuildInfo) string {
	own, engine, commit := "(unknown)", "(unknown)", ""
	if info != nil {
		own = info.Main.Version
		for _, d := range info.Deps {
			if d.Path == "github.com/tetratelabs/wazero" {
				engine = d.Version
			}
		}
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = ", commit " + s.Value
			case s.Key == "vcs.modified" && s.Value == "true" && !strings.Contains(own, "+dirty"):
				commit += " with changes"
			}
		}
	}
	return fmt.Sprintf("wasport %s%s, wazero %s, %s, %s/%s", own, commit, engine,
		runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
