package wasport

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/policy"
)

// Dropped counts what a guest gave rise to and was not told of, since what takes it did not return.
type Dropped struct {
	Reports uint64 // calls of OnRefusal, OnFiltered, OnStranger and OnLimit
	Records uint64 // of Audit
	Calls   uint64 // lines of Trace
}

// callbackQueues are the ways in which an embedder is told of what a guest does. Each has a
// goroutine of its own, so that one which blocks holds up neither the guest nor the others.
type callbackQueues struct {
	reports, records, trace outside.Queue

	done <-chan struct{} // the guest has ended
}

// attach says whose outlets they are.
func (o *callbackQueues) attach(world *system.Guest) {
	o.done = world.Context().Done()
	for _, q := range o.all() {
		q.OnPanic = world.KillForPanic
	}
}

func (o *callbackQueues) all() []*outside.Queue {
	return []*outside.Queue{&o.reports, &o.records, &o.trace}
}

func (o *callbackQueues) dropped() Dropped {
	return Dropped{
		Reports: o.reports.Dropped(), Records: o.records.Dropped(), Calls: o.trace.Dropped(),
	}
}

// onRefusal makes a callback that hands refusals on to f, which is the field of Config that is
// named.
func (o *callbackQueues) onRefusal(field string, f func(*policy.Refusal)) func(*policy.Refusal) {
	if f == nil {
		return nil
	}
	return func(r *policy.Refusal) {
		o.reports.Do(o.done, field, func() { f(r) })
	}
}

func (o *callbackQueues) onLimit(f func(string, int)) func(string, int) {
	if f == nil {
		return nil
	}
	return func(name string, limit int) {
		o.reports.Do(o.done, "Config.OnLimit", func() { f(name, limit) })
	}
}

func (o *callbackQueues) onFiltered(f func(*policy.Filtered)) func(*policy.Filtered) {
	if f == nil {
		return nil
	}
	return func(filtered *policy.Filtered) {
		o.reports.Do(o.done, "Config.OnFiltered", func() { f(filtered) })
	}
}

// audit makes a logger that hands records on to l.
func (o *callbackQueues) audit(l *slog.Logger) *slog.Logger {
	o.records.OnDropped = func(n uint64) {
		l.Warn("network decisions were not recorded, since the log did not take them", "omitted", n)
	}
	return slog.New(&auditHandler{o, l.Handler()})
}

// auditHandler is a slog.Handler that calls another one from the queue of records.
type auditHandler struct {
	outlets *callbackQueues
	slog.Handler
}

// Enabled leaves the question to the other goroutine.
func (h *auditHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *auditHandler) Handle(_ context.Context, r slog.Record) error {
	h.outlets.records.Do(h.outlets.done, "Config.Audit", func() {
		if ctx := context.Background(); h.Handler.Enabled(ctx, r.Level) {
			h.Handler.Handle(ctx, r) // whose error nobody can be told of, as with a slog.Logger
		}
	})
	return nil
}

// traceTo makes a writer that hands lines on to w.
func (o *callbackQueues) traceTo(w io.Writer) io.Writer {
	if w == nil {
		return nil
	}
	o.trace.OnDropped = func(n uint64) {
		fmt.Fprintf(w, "... %d calls are not shown, since the trace was not taken\n", n)
	}
	return &traceWriter{o, w}
}

// traceWriter is safe for concurrent use, and writes a line at a time.
type traceWriter struct {
	outlets *callbackQueues
	w       io.Writer
}

func (t *traceWriter) Write(line []byte) (int, error) {
	line = append([]byte(nil), line...)
	t.outlets.trace.Do(t.outlets.done, "Config.Trace", func() { t.w.Write(line) })
	return len(line), nil
}
