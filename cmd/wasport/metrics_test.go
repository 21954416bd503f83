package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/policy"
)

// TestMetricsFollowPrometheusFormat checks each line, since Prometheus rejects a whole page for one
// malformed line (Prometheus, "Exposition formats").
func TestMetricsFollowPrometheusFormat(t *testing.T) {
	c := wasport.Counters{OpenSockets: 3, SentBytes: 1 << 60}
	c.Denied[policy.OpConnect] = 7
	page := string(exposition(c))
	help := regexp.MustCompile(`^# HELP (\w+) \S.*\.$`)
	kind := regexp.MustCompile(`^# TYPE (\w+) (counter|gauge)$`)
	sample := regexp.MustCompile(`^(\w+)(\{\w+="\w+"(,\w+="\w+")*\})? \d+$`)
	family, seen := "", map[string]bool{}
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case help.MatchString(line):
			family = help.FindStringSubmatch(line)[1]
			if seen[family] {
				t.Errorf("family %s: got it twice, want it once", family)
			}
			seen[family] = true
		case kind.MatchString(line):
			m := kind.FindStringSubmatch(line)
			if isTotal := strings.HasSuffix(family, "_total"); m[1] != family ||
				isTotal != (m[2] == "counter") {
				t.Errorf("got %q after the help of %s, want the type of that family", line, family)
			}
		case sample.MatchString(line):
			if got := sample.FindStringSubmatch(line)[1]; got != family {
				t.Errorf("got a sample of %s, want one of %s", got, family)
			}
		default:
			t.Errorf("got %q, want a comment or a sample", line)
		}
	}
	for _, want := range []string{
		`wasport_decisions_total{action="connect",decision="denied"} 7`,
		`wasport_open_sockets 3`,
		`wasport_sent_bytes_total 1152921504606846976`,
	} {
		if !strings.Contains(page, want+"\n") {
			t.Errorf("got no line %q, want it in\n%s", want, page)
		}
	}
}
