package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/wasport/wasport/bench/internal/results"
)

// summarise joins the runs of a row: the medians of their figures, and the whole range.
func summarise(r results.Row) (s results.Run) {
	for field, of := range map[*float64]func(results.Run) float64{
		&s.Guest:  func(r results.Run) float64 { return r.Guest },
		&s.Native: func(r results.Run) float64 { return r.Native },
		&s.Ratio:  func(r results.Run) float64 { return r.Ratio },
		&s.CPU:    func(r results.Run) float64 { return r.CPU },
		&s.Both:   func(r results.Run) float64 { return r.Both },
		&s.Others: func(r results.Run) float64 { return r.Others },

		&s.CPUEach:       func(r results.Run) float64 { return r.CPUEach },
		&s.NativeCPUEach: func(r results.Run) float64 { return r.NativeCPUEach },
		&s.P99:           func(r results.Run) float64 { return r.P99 },
		&s.NativeP99:     func(r results.Run) float64 { return r.NativeP99 },
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

// table has a line for each workload and mode: the guest, and the ratio of each other host.
func table(rows []results.Row) string {
	var b strings.Builder
	hosts := otherHosts(rows)
	b.WriteString("| workload | processors | guest | native | ratio (range) | CPU | both ends | " +
		"others |")
	for _, h := range hosts {
		fmt.Fprintf(&b, " %s: ratio (range) | CPU |", h)
	}
	fmt.Fprintf(&b, "\n%s\n", strings.Repeat("|---", 8+2*len(hosts))+"|")
	for _, r := range rows {
		if r.Host != "" {
			continue
		}
		s := summarise(r)
		kind := "time"
		if r.Rate {
			kind = "rate"
		}
		fmt.Fprintf(&b, "| %s, %s | %s | %s %s | %s %s | %s | %s | %s | %.0f %% |", r.Workload,
			kind, spaced(r.Mode), digits(s.Guest), unit(r), digits(s.Native), unit(r), ratio(s),
			digits(s.CPU), both(s.Both), 100*s.Others)
		for _, h := range hosts {
			other := r
			other.Host = h
			if at := slices.IndexFunc(rows, other.Same); at >= 0 {
				s := summarise(rows[at])
				fmt.Fprintf(&b, " %s | %s |", ratio(s), digits(s.CPU))
			} else {
				b.WriteString(" | |")
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// otherHosts returns the names of those that rows have beside guests of wasport.
func otherHosts(rows []results.Row) (hosts []string) {
	for _, r := range rows {
		if r.Host != "" && !slices.Contains(hosts, r.Host) {
			hosts = append(hosts, r.Host)
		}
	}
	return hosts
}

// crowdTable has a line for each workload and server.
func crowdTable(rows []results.Row) string {
	var b strings.Builder
	b.WriteString("| workload | server | rate | ratio (range) | CPU of a round trip | p99 | " +
		"others |\n|---|---|---|---|---|---|---|\n")
	line := func(r results.Row, server, ratio string, s results.Run) {
		p99 := ""
		if s.P99 > 0 {
			p99 = digits(s.P99/1e3) + " ms"
		}
		fmt.Fprintf(&b, "| %s | %s | %s per s | %s | %s µs | %s | %.0f %% |\n", r.Workload, server,
			digits(s.Guest), ratio, digits(s.CPUEach), p99, 100*s.Others)
	}
	for _, r := range rows {
		s := summarise(r)
		if r.Host != "" {
			line(r, r.Host, ratio(s), s)
			continue
		}
		line(r, "guests", ratio(s), s)
		line(r, baseServer, "1", results.Run{Guest: s.Native, CPUEach: s.NativeCPUEach,
			P99: s.NativeP99, Others: s.Others})
	}
	return b.String()
}

// baseServer is the server that crowds are compared with.
const baseServer = "Go net"

// plainTable has a line for each figure.
func plainTable(rows []results.Row) string {
	var b strings.Builder
	b.WriteString("| | measured | range | native |\n|---|---|---|---|\n")
	for _, r := range rows {
		s := summarise(r)
		name := r.Benchmark + ": " + r.Workload
		if r.Mode != "" {
			name = r.Workload + ", " + spaced(r.Mode)
		}
		limits, native := fmt.Sprintf("%s–%s", digits(s.Low), digits(s.High)), ""
		if s.Native != 0 {
			limits = fmt.Sprintf("%s–%s times native", digits(s.Low), digits(s.High))
			native = digits(s.Native) + " " + r.Unit
		}
		fmt.Fprintf(&b, "| %s | %s %s | %s | %s |\n", name, digits(s.Guest), r.Unit, limits, native)
	}
	return b.String()
}

// interruptTable has a line for each program, with a column for each way, and their means.
func interruptTable(rows []results.Row) string {
	if len(rows) == 0 {
		return ""
	}
	var b strings.Builder
	ways := []string{"pass", "check", "native"}
	b.WriteString("| | pass | check | pass, to native |\n|---|---|---|---|\n")
	all := make([][]float64, len(ways))
	for i, r := range rows {
		if i > 0 && rows[i-1].Workload == r.Workload {
			continue
		}
		fmt.Fprintf(&b, "| %s |", r.Workload)
		for i, way := range ways {
			of := r
			of.Mode = way
			if at := slices.IndexFunc(rows, of.Same); at >= 0 {
				s := summarise(rows[at])
				all[i] = append(all[i], s.Ratio)
				b.WriteString(" " + ratio(s))
			}
			b.WriteString(" |")
		}
		b.WriteByte('\n')
	}
	b.WriteString("| geometric mean |")
	for i := range ways {
		fmt.Fprintf(&b, " %s |", digits(results.GeometricMean(all[i])))
	}
	b.WriteByte('\n')
	return b.String()
}

func ratio(s results.Run) string {
	return fmt.Sprintf("%s (%s–%s)", digits(s.Ratio), digits(s.Low), digits(s.High))
}

func spaced(s string) string { return strings.ReplaceAll(s, "_", " ") }

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
