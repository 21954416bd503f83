// Command tidy measures the style of the repository and reports where it breaks the project's
// rules. Its tests keep the rules, so `go test ./internal/tidy` fails where one is broken.
//
//	go run ./internal/tidy          # lists every line that breaks a rule
//	go run ./internal/tidy -stats   # prints the figures of the whole tree
//
// It reads files as Git lists them and changes none. Rules about behaviour do not belong here.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	stats := flag.Bool("stats", false, "print figures instead of broken rules")
	flag.Parse()
	tree, err := load(".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "tidy:", err)
		os.Exit(1)
	}
	if *stats {
		fmt.Print(measure(tree))
		return
	}
	broken := check(tree)
	for _, b := range broken {
		fmt.Println(b)
	}
	if len(broken) > 0 {
		os.Exit(1)
	}
}
