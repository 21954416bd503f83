// Package results keeps the figures of the benchmarks, of which docs/performance.md is made.
//
// Belongs here: the file. Does not belong here: measuring (package bench), and how figures are
// shown (figures).
package results

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"slices"
)

// MaxRuns is how many runs of a workload are kept, the latest.
const MaxRuns = 3

// Run is one run of a workload in one mode. Ratios are those of a guest to a native program, a rate
// by a rate or a time by a time: the median of the ratios of pairs, and the least and the greatest.
// A figure that nothing is compared with has no Native and no Ratio. Low and High are its own
// range.
type Run struct {
	Guest, Native    float64
	Ratio, Low, High float64

	// CPU compares the processor time of a guest and a native program, Both that of both ends of
	// the connection.
	CPU, Both float64

	// CPUEach and P99 are the microseconds of processor time of a unit, and those within which all
	// units but one in a hundred were done. 0 tells that they were not measured.
	CPUEach, NativeCPUEach, P99, NativeP99 float64 `json:",omitzero"`

	// Others is the part of all processors' time that other programs had meanwhile.
	Others float64
}

// Row has the runs of a workload in a mode, the oldest first.
type Row struct {
	Benchmark, Workload, Mode string
	// Host is another host or server that was measured in the place of wasport, or empty.
	Host string `json:",omitempty"`
	// Unit is that of Guest and Native.
	Unit string
	// Rate tells that more is better.
	Rate bool
	Runs []Run
}

// Same tells whether two rows are of one figure.
func (r Row) Same(other Row) bool {
	return r.Benchmark == other.Benchmark && r.Workload == other.Workload && r.Mode == other.Mode &&
		r.Host == other.Host && r.Unit == other.Unit
}

// Median returns the median of values.
func Median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// GeometricMean returns the geometric mean of positive values.
func GeometricMean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(values)))
}

// Load reads the rows of a file, or none if there is no such file.
func Load(file string) (rows []Row, err error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &rows)
	}
	return rows, err
}

// Add adds the only run of a row to a file, in the place of the row's oldest if it has MaxRuns.
func Add(file string, row Row) error {
	rows, err := Load(file)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(rows, row.Same)
	if at < 0 {
		rows = append(rows, row)
	} else {
		runs := append(rows[at].Runs, row.Runs...)
		row.Runs = runs[max(0, len(runs)-MaxRuns):]
		rows[at] = row
	}
	return save(file, rows)
}

// Check returns the error that Add would have: a figure may take minutes to measure. It makes the
// file if there is none.
func Check(file string) error {
	rows, err := Load(file)
	if err != nil {
		return err
	}
	return save(file, rows)
}

func save(file string, rows []Row) error {
	b, err := json.MarshalIndent(rows, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o666)
}
