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

// Dropped counts reports that were dropped because the callback, logger or writer for them did not
// return.
type Dropped struct {
	Reports uint64 // calls of OnRefusal, OnFiltered, OnDeniedPeer and OnLimit
	Records uint64 // records of Audit
	Calls   uint64 // lines of Trace
}

// callbackQueues call the embedder's callbacks, logger and trace writer. Each queue has a
// goroutine, so that a call that blocks delays neither the guest nor the other queues.
type callbackQueues struct {
	// A queue is nil if nothing of its kind is wanted.
	reports, records, trace *outside.Queue

	// sys is the guest, or nil while its descriptors are made.
	sys *system.Guest
}

// make makes a queue unless there is one.
func (o *callbackQueues) make(q **outside.Queue) *outside.Queue {
	if *q == nil {
		*q = &outside.Queue{OnPanic: o.onPanic}
	}
	return *q
}

// onPanic ends the guest.
func (o *callbackQueues) onPanic(p *outside.Panic) {
	if o.sys != nil {
		o.sys.KillForPanic(p)
	}
}

// do queues a call, and waits for it until the guest ends.
func (o *callbackQueues) do(q *outside.Queue, in string, f func()) {
	var ended <-chan struct{}
	if o.sys != nil {
		ended = o.sys.Context().Done()
	}
	q.Do(ended, in, f)
}

func (o *callbackQueues) appendTo(list []outside.Drainer) []outside.Drainer {
	for _, q := range [...]*outside.Queue{o.reports, o.records, o.trace} {
		if q != nil {
			list = append(list, q)
		}
	}
	return list
}

func (o *callbackQueues) dropped() Dropped {
	return Dropped{
		Reports: o.reports.Dropped(), Records: o.records.Dropped(), Calls: o.trace.Dropped(),
	}
}

// onRefusal returns a callback that queues calls of f; field is its name in Config.
func (o *callbackQueues) onRefusal(field string, f func(*policy.Refusal)) func(*policy.Refusal) {
	if f == nil {
		return nil
	}
	reports := o.make(&o.reports)
	return func(r *policy.Refusal) {
		o.do(reports, field, func() { f(r) })
	}
}

func (o *callbackQueues) onLimit(f func(string, int)) func(string, int) {
	if f == nil {
		return nil
	}
	reports := o.make(&o.reports)
	return func(name string, limit int) {
		o.do(reports, "Config.OnLimit", func() { f(name, limit) })
	}
}

func (o *callbackQueues) onFiltered(f func(*policy.Filtered)) func(*policy.Filtered) {
	if f == nil {
		return nil
	}
	reports := o.make(&o.reports)
	return func(filtered *policy.Filtered) {
		o.do(reports, "Config.OnFiltered", func() { f(filtered) })
	}
}

// callNetwork makes a call of the guest's network for guard.Options.
func (o *callbackQueues) callNetwork(f func()) { outside.Protect("Config.Network", f, o.onPanic) }

// audit returns a logger that queues records of the guest for l.
func (o *callbackQueues) audit(l *slog.Logger, guest string) (named *slog.Logger, err error) {
	outside.Protect("Config.Audit", func() { l = l.With("guest", guest) },
		func(p *outside.Panic) { err = (*HostPanic)(p) })
	o.make(&o.records).OnDropped = func(n uint64) {
		l.Warn("network decisions were not recorded, since the log did not take them", "omitted", n)
	}
	return slog.New(&auditHandler{o, l.Handler()}), err
}

// auditHandler is a slog.Handler that queues records for another one.
type auditHandler struct {
	queues *callbackQueues
	slog.Handler
}

// Enabled accepts all records; the queue's goroutine asks the other handler, which may block.
func (h *auditHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *auditHandler) Handle(_ context.Context, r slog.Record) error {
	h.queues.do(h.queues.records, "Config.Audit", func() {
		if ctx := context.Background(); h.Handler.Enabled(ctx, r.Level) {
			h.Handler.Handle(ctx, r) // no caller could get the error, as with slog.Logger
		}
	})
	return nil
}

// traceTo returns a writer that queues lines for w.
func (o *callbackQueues) traceTo(w io.Writer) io.Writer {
	if w == nil {
		return nil
	}
	o.make(&o.trace).OnDropped = func(n uint64) {
		fmt.Fprintf(w, "... %d calls are not shown, since the trace was not taken\n", n)
	}
	return &traceWriter{o, w}
}

// traceWriter writes one line per call. It is safe for concurrent use.
type traceWriter struct {
	queues *callbackQueues
	w      io.Writer
}

func (t *traceWriter) Write(line []byte) (int, error) {
	line = append([]byte(nil), line...)
	t.queues.do(t.queues.trace, "Config.Trace", func() { t.w.Write(line) })
	return len(line), nil
}
