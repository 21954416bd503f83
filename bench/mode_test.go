//go:build unix

package bench

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"github.com/wasport/wasport/bench/internal/results"
)

var (
	recordFile = flag.String("record", "", "add the figures to this `file`, for bench/figures")
	against    = flag.String("against", "", "measure this `command` too, in the same turns: "+
		"a host of WebAssembly, with {} for the module, or {name} in the path of one that was "+
		"built for that host; the module's arguments follow")
	againstName = flag.String("against-name", "", "the `name` of the command of -against in the "+
		"figures (default: its first word)")
)

// mode is how busy the machine's processors are beside a workload.
type mode struct {
	name string
	// set begins the mode. The function that it returns ends it.
	set func(testing.TB) (end func())
}

// modes are those for workloads that wait. A processor that sleeps takes long to wake, which
// flatters a program that keeps it awake; so all are reported.
var modes = []mode{
	{"idle", func(testing.TB) func() { return func() {} }},
	{"awake", keepAwake},
	{"one_cpu", useOneCPU},
}

// modes returns the modes in which a workload is measured. One that does not wait keeps its
// processors awake by itself.
func (w workload) modes() []mode {
	if w.waits {
		return modes
	}
	return modes[1:2]
}

// record adds a run to the file of -record.
func record(b *testing.B, row results.Row, run results.Run) {
	b.Helper()
	if *recordFile == "" {
		return
	}
	row.Runs = []results.Run{run}
	if err := results.Add(*recordFile, row); err != nil {
		b.Fatal(err)
	}
}

// row returns the row of a workload, without runs.
func (w workload) row(benchmark, mode, host string) results.Row {
	row := results.Row{Benchmark: benchmark, Workload: w.name, Mode: mode, Host: host,
		Unit: w.rate, Rate: w.rate != ""}
	if !row.Rate {
		row.Unit = "µs"
	}
	return row
}

// recordFigure reports and records values of one figure: its median and its range.
func recordFigure(b *testing.B, row results.Row, values []float64) {
	b.Helper()
	run := results.Run{Guest: results.Median(values), Low: slices.Min(values),
		High: slices.Max(values)}
	b.ReportMetric(run.Guest, strings.ReplaceAll(row.Workload+"-"+row.Unit, " ", "-"))
	record(b, row, run)
}
