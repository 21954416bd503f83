package child

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/wasport/wasport/policy"
)

// maxReports and maxReportBytes bound the reports that a guest can cause.
const (
	maxReports     = 1000
	maxReportBytes = 1 << 20
)

// reportLog writes refusals into the container's log, each text once. Its methods may be called
// from several goroutines.
type reportLog struct {
	out io.Writer

	// mu protects the fields below it.
	mu      sync.Mutex
	printed map[string]bool
	bytes   int
}

// refusal reports a refused request, and the rule that would allow it.
func (l *reportLog) refusal(r *policy.Refusal) {
	hint := ""
	if len(r.Allow) > 0 {
		hint = policy.FileHint(r.Allow)
	}
	l.print(r.Error(), hint)
}

// filtered reports addresses that were taken out of the answer to a lookup.
func (l *reportLog) filtered(f *policy.Filtered) {
	hint := ""
	if len(f.Allow) > 0 {
		hint = policy.FileHint(f.Allow)
	}
	l.print(f.String(), hint)
}

// limit reports that a limit refused a call.
func (l *reportLog) limit(name string, limit int) {
	l.print(fmt.Sprintf("refused by a limit: %s = %d", name, limit), "")
}

func (l *reportLog) print(text, hint string) {
	text = "wasport: " + strings.TrimSuffix(text, "\n") + "\n"
	if hint != "" {
		text += "         to allow it: " + hint + "\n"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.printed == nil {
		l.printed = make(map[string]bool)
	}
	if l.printed[text] || len(l.printed) == maxReports || l.bytes+len(text) > maxReportBytes {
		return
	}
	l.printed[text] = true
	l.bytes += len(text)
	io.WriteString(l.out, text)
}
