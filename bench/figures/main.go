// Command figures writes the tables and the plots of docs/performance.md from
// docs/performance.json, to which `go test -bench . -record ../docs/performance.json` adds.
//
//	cd bench && go run ./figures [-dir DIR]
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/wasport/wasport/bench/internal/results"
)

const docs = "../docs/"

func main() {
	dir := flag.String("dir", docs, "the `directory` of performance.json and performance.md")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "figures: got %q, want flags alone; see -h\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := run(filepath.Clean(*dir) + "/"); err != nil {
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
	{"calls", []string{"calls"}, callsTable, nil},
	{"component", []string{"component"}, table, plotRatios},
	{"start", []string{"hello", "start", "idle"}, plainTable, nil},
	{"interrupt", []string{"interrupt"}, interruptTable, nil},
}

// run replaces the tables of the page and writes the plots into a directory. It writes nothing if a
// table would have no rows: those of the page would be lost.
func run(dir string) error {
	rows, err := results.Load(dir + "performance.json")
	if err != nil {
		return err
	}
	page, err := os.ReadFile(dir + "performance.md")
	if err != nil {
		return err
	}
	files := make(map[string][]byte)
	for _, f := range figures {
		of := slices.DeleteFunc(slices.Clone(rows),
			func(r results.Row) bool { return !slices.Contains(f.benchmarks, r.Benchmark) })
		if len(of) == 0 {
			return fmt.Errorf("%sperformance.json has no rows for the table %s; add them by "+
				"`go test -run - -bench . . -record FILE`", dir, f.name)
		}
		if page, err = replaceTable(page, f.name, f.table(of)); err != nil {
			return err
		}
		if f.plot != nil {
			files["performance-"+f.name+".svg"] = f.plot(of)
		}
	}
	files["performance.md"] = page
	for name, content := range files {
		if err := os.WriteFile(dir+name, content, 0o666); err != nil {
			return err
		}
	}
	return nil
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
