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

// outlets are the ways in which an embedder is told of what a guest does. Each has a goroutine of
// its own, so that one which blocks holds up neither the guest nor the others.
type outlets struct {
	reports, records, trace outside.Queue

	done <-chan struct{} // the guest has ended
}

// begin says whose outlets they are.
func (o *outlets) begin(world *system.Guest) {
	o.done = world.Context().Done()
	for _, q := range o.all() {
		q.Failed = world.Panicked
	}
}

func (o *outlets) all() []*outside.Queue {
	return []*outside.Queue{&o.reports, &o.records, &o.trace}
}

func (o *outlets) dropped() Dropped {
	return Dropped{
		Reports: o.reports.Dropped(), Records: o.records.Dropped(), Calls: o.trace.Dropped(),
	}
}

// onRefusal makes a callback that hands refusals on to f, which is the field of Config that is
// named.
func (o *outlets) onRefusal(field string, f func(*policy.Refusal)) func(*policy.Refusal) {
	if f == nil {
		return nil
	}
	return func(r *policy.Refusal) {
		o.reports.Do(o.done, field, func() { f(r) })
	}
}

func (o *outlets) onLimit(f func(string, int)) func(string, int) {
	if f == nil {
		return nil
	}
	return func(name string, limit int) {
		o.reports.Do(o.done, "Config.OnLimit", func() { f(name, limit) })
	}
}

func (o *outlets) onFiltered(f func(*policy.Filtered)) func(*policy.Filtered) {
	if f == nil {
		return nil
	}
	return func(filtered *policy.Filtered) {
		o.reports.Do(o.done, "Config.OnFiltered", func() { f(filtered) })
	}
}

// audit makes a logger that hands records on to l.
func (o *outlets) audit(l *slog.Logger) *slog.Logger {
	o.records.Lost = func(n uint64) {
		l.Warn("network decisions were not recorded, since the log did not take them", "omitted", n)
	}
	return slog.New(&auditHandler{o, l.Handler()})
}

// auditHandler is a slog.Handler that calls another one from the queue of records.
type auditHandler struct {
	outlets *outlets
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
func (o *outlets) traceTo(w io.Writer) io.Writer {
	if w == nil {
		return nil
	}
	o.trace.Lost = func(n uint64) {
		fmt.Fprintf(w, "... %d calls are not shown, since the trace was not taken\n", n)
	}
	return &traceWriter{o, w}
}

// traceWriter is safe for concurrent use, and writes a line at a time.
type traceWriter struct {
	outlets *outlets
	w       io.Writer
}

func (t *traceWriter) Write(line []byte) (int, error) {
	line = append([]byte(nil), line...)
	t.outlets.trace.Do(t.outlets.done, "Config.Trace", func() { t.w.Write(line) })
	return len(line), nil
}
