// Command figures writes the table and the plot of docs/performance.md from docs/performance.json,
// to which `go test -bench . -record ../docs/performance.json` adds.
//
//	cd bench && go run ./figures
package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/wasport/wasport/bench/internal/results"
)

const docs = "../docs/"

func main() {
	if err := run(docs); err != nil {
		fmt.Fprintln(os.Stderr, "figures:", err)
		os.Exit(1)
	}
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
	for _, benchmark := range []string{"network", "crowd", "component"} {
		of := slices.DeleteFunc(slices.Clone(rows),
			func(r results.Row) bool { return r.Benchmark != benchmark })
		if page, err = replaceTable(page, benchmark, table(of)); err != nil {
			return err
		}
		if err := os.WriteFile(dir+"performance-"+benchmark+".svg", plot(of), 0o666); err != nil {
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

// summarise joins the runs of a row: the medians of their figures, and the whole range.
func summarise(r results.Row) (s results.Run) {
	for field, of := range map[*float64]func(results.Run) float64{
		&s.Guest:  func(r results.Run) float64 { return r.Guest },
		&s.Native: func(r results.Run) float64 { return r.Native },
		&s.Ratio:  func(r results.Run) float64 { return r.Ratio },
		&s.CPU:    func(r results.Run) float64 { return r.CPU },
		&s.Both:   func(r results.Run) float64 { return r.Both },
		&s.Others: func(r results.Run) float64 { return r.Others },
	} {
		var values []float64
		for _, run := range r.Runs {
			values = append(values, of(run))
		}
		*field = results.Median(values)
	}
	s.Low, s.High = math.Inf(1), 0
	for _, run := range r.Runs {
		s.Low, s.High = min(s.Low, run.Low), max(s.High, run.High)
	}
	return s
}

func table(rows []results.Row) string {
	var b strings.Builder
	b.WriteString("| workload | processors | guest | native | ratio (range) | CPU | both ends | " +
		"others |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		s := summarise(r)
		kind := "time"
		if r.Rate {
			kind = "rate"
		}
		fmt.Fprintf(&b, "| %s, %s | %s | %s %s | %s %s | %s (%s–%s) | %s | %s | %.0f %% |\n",
			r.Workload, kind, strings.ReplaceAll(r.Mode, "_", " "), digits(s.Guest), unit(r),
			digits(s.Native), unit(r), digits(s.Ratio), digits(s.Low), digits(s.High),
			digits(s.CPU), both(s.Both), 100*s.Others)
	}
	return b.String()
}

func unit(r results.Row) string {
	if r.Unit == "/s" {
		return "per s"
	}
	return r.Unit
}

// both is empty for a workload without a peer.
func both(v float64) string {
	if v == 0 || math.IsNaN(v) {
		return ""
	}
	return digits(v)
}

// digits formats a number with three digits.
func digits(v float64) string {
	if v >= 100 {
		p := math.Pow(10, math.Floor(math.Log10(v))-2)
		return fmt.Sprintf("%.0f", math.Round(v/p)*p)
	}
	return fmt.Sprintf("%.*f", 2-max(0, int(math.Floor(math.Log10(max(v, 1))))), v)
}
