//go:build unix

package bench

import (
	"flag"
	"testing"

	"github.com/wasport/wasport/bench/internal/results"
)

var (
	recordFile = flag.String("record", "", "add the figures to this `file`, for bench/figures")
	against    = flag.String("against", "", "measure this `command` too, in the same turns: "+
		"a host of WebAssembly, with {} for the module; the module's arguments follow")
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
func record(b *testing.B, benchmark, mode string, w workload, run results.Run) {
	b.Helper()
	if *recordFile == "" {
		return
	}
	row := results.Row{Benchmark: benchmark, Workload: w.name, Mode: mode, Unit: w.rate,
		Rate: w.rate != "", Runs: []results.Run{run}}
	if !row.Rate {
		row.Unit = "µs"
	}
	if err := results.Add(*recordFile, row); err != nil {
		b.Fatal(err)
	}
}
