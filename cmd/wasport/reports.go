package main

import (
	"io"
	"slices"
	"sync"

	"github.com/wasport/wasport/policy"
)

// maxReports and maxReported bound the reports and their bytes that a guest can fill the terminal
// with.
const (
	maxReports  = 1000
	maxReported = 1 << 20
)

// reports prints what was refused, with the way to allow it, each thing once.
type reports struct {
	to     io.Writer
	dryRun bool

	mu       sync.Mutex
	said     map[string]bool
	bytes    int                         // that were printed
	filters  map[string]*policy.Filtered // what was taken out of the answers for a name so far
	exceeded bool
}

func (r *reports) refusal(f *policy.Refusal) {
	text := f.Error()
	if r.dryRun {
		text = "would have " + text
	}
	r.say(text, "to allow it: ", f.Hint())
}

// filtered prints what was taken out of an answer if there is something new. Answers for a name
// change from one lookup to the next, so the hint is for all that was taken out so far: with it
// none of them comes again.
func (r *reports) filtered(f *policy.Filtered) {
	r.mu.Lock()
	all, news := r.gather(f)
	r.mu.Unlock()
	if !news {
		return
	}
	text := f.String()
	if r.dryRun {
		text = "would have " + text
	}
	r.say(text, "to leave it in: ", all.Hint())
}

// gather adds an answer to those for the same name, and reports whether it had news. Nothing is
// gathered once nothing is printed any more.
func (r *reports) gather(f *policy.Filtered) (all *policy.Filtered, news bool) {
	if r.exceeded {
		return f, false
	}
	if r.filters == nil {
		r.filters = make(map[string]*policy.Filtered)
	}
	all = r.filters[f.Name]
	if all == nil {
		if len(r.filters) < maxReports {
			r.filters[f.Name] = f
		}
		return f, true
	}
	for _, a := range f.Removed {
		news = news || !slices.Contains(all.Removed, a)
	}
	if !news || len(all.Removed) > maxReports {
		return all, false
	}
	more := *f
	more.Removed = slices.Concat(all.Removed, f.Removed)
	more.Allow = slices.Clone(all.Allow)
	for _, rule := range f.Allow {
		same := func(o policy.Rule) bool { return o.String() == rule.String() }
		if !slices.ContainsFunc(more.Allow, same) {
			more.Allow = append(more.Allow, rule)
		}
	}
	r.filters[f.Name] = &more
	return &more, true
}

// say prints a text once, and how to help it.
func (r *reports) say(text, how, hint string) {
	text = "wasport: " + text + "\n"
	if hint != "" {
		text += "         " + how + hint + "\n"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.said == nil {
		r.said = make(map[string]bool)
	}
	switch {
	case r.exceeded || r.said[text]:
		return
	case len(r.said) == maxReports || r.bytes+len(text) > maxReported:
		r.exceeded = true
		text = "wasport: no more of this is printed; --audit FILE records all of it\n"
	default:
		r.said[text] = true
		r.bytes += len(text)
	}
	io.WriteString(r.to, text)
}
