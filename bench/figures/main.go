// Command figures writes the tables and the plots of docs/performance.md from
// docs/performance.json, to which `go test -bench . -record ../docs/performance.json` adds.
//
//	cd bench && go run ./figures
package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"

	"github.com/wasport/wasport/bench/internal/results"
)

const docs = "../docs/"

func main() {
	if err := run(docs); err != nil {
		fmt.Fprintln(os.Stderr, "figures:", err)
		os.Exit(1)
	}
}

// figure is a table of the page, of the rows of some benchmarks, and its plot if it has one.
type figure struct {
	name       string
	benchmarks []string
	table      func([]results.Row) string
	plot       func([]results.Row) []byte
}

var figures = []figure{
	{"network", []string{"network"}, table, plotRatios},
	{"crowd", []string{"crowd"}, crowdTable, plotCrowd},
	{"component", []string{"component"}, table, plotRatios},
	{"start", []string{"hello", "start", "idle"}, plainTable, nil},
	{"interrupt", []string{"interrupt"}, interruptTable, nil},
}

// run replaces the tables of the page and writes the plots into a directory.
func run(dir string) error {
	rows, err := results.Load(dir + "performance.json")
	if err != nil {
		return err
	}
	page, err := os.ReadFile(dir + "performance.md")
	if err != nil {
		return err
	}
	for _, f := range figures {
		of := slices.DeleteFunc(slices.Clone(rows),
			func(r results.Row) bool { return !slices.Contains(f.benchmarks, r.Benchmark) })
		if page, err = replaceTable(page, f.name, f.table(of)); err != nil {
			return err
		}
		if f.plot == nil {
			continue
		}
		if err := os.WriteFile(dir+"performance-"+f.name+".svg", f.plot(of), 0o666); err != nil {
			return err
		}
	}
	return os.WriteFile(dir+"performance.md", page, 0o666)
}

// replaceTable replaces the text between the marks of a table.
func replaceTable(page []byte, name, table string) ([]byte, error) {
	begin, end := "<!-- figures: "+name+" -->\n", "<!-- end of figures -->\n"
	before, rest, found := bytes.Cut(page, []byte(begin))
	_, after, ended := bytes.Cut(rest, []byte(end))
	if !found || !ended {
		return nil, fmt.Errorf("performance.md has no table between %q and %q", begin, end)
	}
	return slices.Concat(before, []byte(begin+"\n"+table+"\n"+end), after), nil
}
