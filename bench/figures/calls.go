package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wasport/wasport/bench/internal/results"
)

// callsTable has a line for each workload and mode, with the system calls and the processor time of
// a native program, of a guest without optimisations and of a guest.
func callsTable(rows []results.Row) string {
	var b strings.Builder
	b.WriteString("| workload, for each | processors | calls: native | without | guest | " +
		"CPU: native | without | guest | others |\n|---|---|---|---|---|---|---|---|---|\n")
	for i, r := range rows {
		first := func(of results.Row) bool {
			return of.Workload == r.Workload && of.Mode == r.Mode
		}
		if slices.IndexFunc(rows, first) < i {
			continue
		}
		fmt.Fprintf(&b, "| %s, %s | %s |", r.Workload, strings.TrimPrefix(r.Unit, "calls/"),
			spaced(r.Mode))
		times, others := "", 0.0
		for _, r.Host = range []string{"native", "without", ""} {
			if at := slices.IndexFunc(rows, r.Same); at >= 0 {
				s := summarise(rows[at])
				s.Ratio = s.Guest
				b.WriteString(" " + ratio(s))
				times += " " + digits(s.CPUEach) + " µs"
				others = s.Others
			}
			b.WriteString(" |")
			times += " |"
		}
		fmt.Fprintf(&b, "%s %.0f %% |\n", times, 100*others)
	}
	return b.String()
}
