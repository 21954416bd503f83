// Command typecheck checks the types of every package, tests included, for systems and processors:
//
//	go run ./internal/typecheck openbsd/amd64 linux/arm
//
// go vet does so too, but compiles all dependencies for each target first. This reads them as
// source, once for all targets, and leaves the bodies of their functions out. It does not compile,
// link, or look at assembly.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

func main() {
	if len(os.Args) == 1 {
		fmt.Fprintln(os.Stderr, "usage: typecheck SYSTEM/PROCESSOR...")
		os.Exit(2)
	}
	s := newSources()
	failed := false
	for _, target := range os.Args[1:] {
		errs := checkTarget(s, ".", target)
		for _, err := range errs {
			fmt.Printf("%s: %v\n", target, err)
		}
		failed = failed || len(errs) > 0
	}
	if failed {
		os.Exit(1)
	}
}

// checkTarget returns the errors of the module in a directory, for a target such as linux/arm.
func checkTarget(s *sources, dir, target string) []error {
	system, processor, ok := strings.Cut(target, "/")
	if !ok {
		return []error{errors.New("want SYSTEM/PROCESSOR, such as linux/arm")}
	}
	packages, err := list(dir, "GOOS="+system, "GOARCH="+processor, "CGO_ENABLED=0")
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		err = fmt.Errorf("%w: %s", err, failed.Stderr)
	}
	if err != nil {
		return []error{fmt.Errorf("go list: %w", err)}
	}
	return newChecker(s, packages, processor).checkAll()
}
