package testutil

import (
	"fmt"
	"strings"
)

// Diff lists the lines in which two outputs differ, got after "-" and want after "+". Above each it
// repeats the last heading, which is a line of want that starts with "== ".
func Diff(got, want string) string {
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(want, "\n")
	line := func(lines []string, i int) string {
		if i < len(lines) {
			return lines[i]
		}
		return ""
	}
	var b strings.Builder
	heading := ""
	for i := range max(len(gotLines), len(wantLines)) {
		g, w := line(gotLines, i), line(wantLines, i)
		if strings.HasPrefix(w, "== ") {
			heading = w
		}
		if g != w {
			fmt.Fprintf(&b, "%s\n- %s\n+ %s\n", heading, g, w)
		}
	}
	return b.String()
}
