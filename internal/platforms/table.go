package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wasport/wasport/internal/platforms/recording"
)

// differing returns the rows in which a platform has a result that differs from Linux's.
func differing(rows []row) (list []row) {
	for _, r := range rows {
		if slices.ContainsFunc(r.results[1:], func(result string) bool {
			return result != "" && result != recording.Absent && result != recording.NotRecorded
		}) {
			list = append(list, r)
		}
	}
	return list
}

// formatCounts makes a table of how many calls each program has, and how many of them differ on
// each platform.
func formatCounts(rows []row) string {
	var names []string
	counts, texts := make(map[string][]int), make(map[string][]string)
	for _, r := range rows {
		if counts[r.name] == nil {
			names = append(names, r.name)
			counts[r.name] = make([]int, len(platforms))
			texts[r.name] = slices.Repeat([]string{"the same"}, len(platforms))
		}
		for i, result := range r.results {
			if i > 0 && result == "" {
				continue
			}
			counts[r.name][i]++
			texts[r.name][i] = fmt.Sprintf("%d differ", counts[r.name][i])
			if result == recording.NotRecorded {
				texts[r.name][i] = result
			}
		}
	}
	var b strings.Builder
	b.WriteString("| program | results on Linux |")
	for _, p := range platforms[1:] {
		fmt.Fprintf(&b, " %s |", p.title)
	}
	b.WriteString("\n|" + strings.Repeat("---|", len(platforms)+1) + "\n")
	for _, name := range names {
		fmt.Fprintf(&b, "| `%s` | %d |", name, counts[name][0])
		for _, text := range texts[name][1:] {
			fmt.Fprintf(&b, " %s |", text)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// formatTable makes the table in Markdown. The calls of an import stand together.
func formatTable(title string, rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s | call |", title)
	for _, p := range platforms {
		fmt.Fprintf(&b, " %s |", p.title)
	}
	b.WriteString(" why it differs |\n|" + strings.Repeat("---|", len(platforms)+3) + "\n")
	last := ""
	for _, r := range mergeCalls(groupByName(rows)) {
		name := ""
		if r.name != last {
			name, last = "`"+r.name+"`", r.name
		}
		fmt.Fprintf(&b, "| %s | %s |", name, escape(r.how))
		for _, result := range r.results {
			fmt.Fprintf(&b, " %s |", escape(result))
		}
		fmt.Fprintf(&b, " %s |\n", escape(strings.Join(r.why, "; ")))
	}
	return b.String()
}

// groupByName moves each row behind the rows before it that have its name.
func groupByName(rows []row) []row {
	first := make(map[string]int)
	for i, r := range rows {
		if _, ok := first[r.name]; !ok {
			first[r.name] = i
		}
	}
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b row) int { return first[a.name] - first[b.name] })
	return rows
}

// mergeCalls makes one row of those that follow each other with the same import and results.
func mergeCalls(rows []row) (merged []row) {
	for _, r := range rows {
		if n := len(merged) - 1; n >= 0 && merged[n].name == r.name &&
			slices.Equal(merged[n].results, r.results) && slices.Equal(merged[n].why, r.why) {
			merged[n].how += "; " + r.how
		} else {
			merged = append(merged, r)
		}
	}
	return merged
}

// escape makes text fit for a cell of a table.
func escape(s string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "<", `\<`, "`", "\\`").Replace(s)
}
