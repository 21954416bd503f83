package main

import (
	"fmt"
	"slices"
	"strings"
)

// formatTable makes the table in Markdown. The calls of an import stand together.
func formatTable(rows []row) string {
	var b strings.Builder
	b.WriteString("| import or option | call |")
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
