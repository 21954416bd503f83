package main

import (
	"io"
	"slices"
	"sync"

	"github.com/wasport/wasport/policy"
)

// maxReports and maxReportBytes bound the number of reports that a guest can cause, and their size.
const (
	maxReports     = 1000
	maxReportBytes = 1 << 20
)

// reports prints refusals and limits with a hint, each text once. Its methods may be called from
// several goroutines.
type reports struct {
	out    io.Writer
	dryRun bool

	// mu protects the fields below it.
	mu      sync.Mutex
	printed map[string]bool
	// bytes is the size of all printed texts.
	bytes int
	// filteredNames has, by name, all addresses that were removed from answers so far.
	filteredNames map[string]*policy.Filtered
	// full is set once a limit is reached. Nothing is printed after that.
	full bool
}

// refusal prints a refused request and the flag that would allow it.
func (r *reports) refusal(f *policy.Refusal) {
	text := f.Error()
	if r.dryRun {
		text = "would have " + text
	}
	r.print(text, "to allow it: ", f.Hint())
}

// filtered prints the addresses that were removed from an answer, if any of them is new. Answers
// for a name change from one lookup to the next, so the hint covers all addresses removed so far.
func (r *reports) filtered(f *policy.Filtered) {
	r.mu.Lock()
	merged, isNew := r.mergeFiltered(f)
	r.mu.Unlock()
	if !isNew {
		return
	}
	text := f.String()
	if r.dryRun {
		text = "would have " + text
	}
	r.print(text, "to leave it in: ", merged.Hint())
}

// mergeFiltered adds an answer to the earlier ones for its name, and reports whether it has a new
// address. It keeps nothing once r is full. The caller holds mu.
func (r *reports) mergeFiltered(f *policy.Filtered) (merged *policy.Filtered, isNew bool) {
	if r.full {
		return f, false
	}
	if r.filteredNames == nil {
		r.filteredNames = make(map[string]*policy.Filtered)
	}
	earlier := r.filteredNames[f.Name]
	if earlier == nil {
		if len(r.filteredNames) < maxReports {
			r.filteredNames[f.Name] = f
		}
		return f, true
	}
	for _, a := range f.Removed {
		isNew = isNew || !slices.Contains(earlier.Removed, a)
	}
	if !isNew || len(earlier.Removed) > maxReports {
		return earlier, false
	}
	both := *f
	both.Removed = slices.Concat(earlier.Removed, f.Removed)
	both.Allow = slices.Clone(earlier.Allow)
	for _, rule := range f.Allow {
		same := func(o policy.Rule) bool { return o.String() == rule.String() }
		if !slices.ContainsFunc(both.Allow, same) {
			both.Allow = append(both.Allow, rule)
		}
	}
	r.filteredNames[f.Name] = &both
	return &both, true
}

// print prints a text, unless it was printed before, and below it a hint after its label. An empty
// hint is left out.
func (r *reports) print(text, label, hint string) {
	text = "wasport: " + text + "\n"
	if hint != "" {
		text += "         " + label + hint + "\n"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.printed == nil {
		r.printed = make(map[string]bool)
	}
	switch {
	case r.full || r.printed[text]:
		return
	case len(r.printed) == maxReports || r.bytes+len(text) > maxReportBytes:
		r.full = true
		text = "wasport: no more of this is printed; --audit FILE records all of it\n"
	default:
		r.printed[text] = true
		r.bytes += len(text)
	}
	io.WriteString(r.out, text)
}
