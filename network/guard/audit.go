package guard

import (
	"context"
	"log/slog"
	"strconv"
	"sync/atomic"

	"golang.org/x/time/rate"

	"github.com/wasport/wasport/policy"
)

// strangersPerSecond bounds the records that somebody outside can cause.
const strangersPerSecond = 100

// strangers holds back the records of strangers.
type strangers struct {
	limit   *rate.Limiter
	omitted atomic.Int64 // since the last record
}

// message is that of every record.
const message = "network decision"

// maxName is how much of something that is no name is recorded of it.
const maxName = 253

func (n *Network) record(level slog.Level, decision string, r policy.Request, name string,
	more ...slog.Attr) {
	attrs := make([]slog.Attr, 0, 9)
	attrs = append(attrs, slog.String("action", r.Op.String()))
	if r.Protocol != 0 {
		attrs = append(attrs, slog.String("protocol", r.Protocol.String()))
	}
	if name != "" {
		attrs = append(attrs, slog.String("name", name))
	}
	switch r.Op {
	case policy.OpBind, policy.OpListen, policy.OpAlter:
		attrs = append(attrs, slog.String("address", r.Local.String()))
	case policy.OpAccept, policy.OpReceive:
		attrs = append(attrs, slog.String("address", r.Remote.String()),
			slog.String("local", r.Local.String()))
	case policy.OpJoin:
		attrs = append(attrs, slog.String("address", r.Remote.Addr().String()))
	case policy.OpConnect:
		attrs = append(attrs, slog.String("address", r.Remote.String()))
	}
	attrs = append(attrs, slog.String("decision", decision))
	n.options.Audit.LogAttrs(context.Background(), level, message, append(attrs, more...)...)
}

// nameOf is the name that a request is about, as it can be written down.
func nameOf(r policy.Request) string {
	if r.Name == "" {
		return ""
	}
	if name, err := policy.CanonicalName(r.Name); err == nil {
		return name
	}
	return strconv.QuoteToASCII(r.Name[:min(len(r.Name), maxName)])
}

func ruleAttrs(rule *policy.Rule) []slog.Attr {
	if rule == nil {
		return nil
	}
	return []slog.Attr{slog.String("rule", rule.String()),
		slog.String("written", rule.Origin().String())}
}

func (n *Network) recordAllowed(r policy.Request, d policy.Decision) {
	name := d.Name
	if name == "" {
		name = nameOf(r)
	}
	n.record(slog.LevelInfo, "allowed", r, name, ruleAttrs(d.Rule)...)
}

func (n *Network) recordRefusal(f *policy.Refusal, more ...slog.Attr) {
	attrs := append(ruleAttrs(f.Rule), slog.String("reason", f.Reason))
	if hint := f.Hint(); hint != "" {
		attrs = append(attrs, slog.String("hint", hint))
	}
	n.record(slog.LevelWarn, "denied", f.Request, nameOf(f.Request), append(attrs, more...)...)
}

func (n *Network) recordStranger(now *regime, r policy.Request, d policy.Decision) {
	s := &n.strangers
	if !s.limit.Allow() {
		s.omitted.Add(1)
		return
	}
	var more []slog.Attr
	if left := s.omitted.Swap(0); left > 0 {
		more = append(more, slog.Int64("omitted", left))
	}
	n.recordRefusal(now.policy.Explain(r, d), more...)
}

func (n *Network) recordFiltered(f *policy.Filtered) {
	text := make([]string, len(f.Removed))
	for i, a := range f.Removed {
		text[i] = a.String()
	}
	attrs := []slog.Attr{slog.Any("addresses", text), slog.String("reason", f.Reason)}
	if hint := f.Hint(); hint != "" {
		attrs = append(attrs, slog.String("hint", hint))
	}
	n.record(slog.LevelWarn, "filtered", policy.Request{Op: policy.OpResolve}, f.Name, attrs...)
}

// recordLimit notes that a limit refused something.
func (n *Network) recordLimit(action, limit string, more ...slog.Attr) {
	attrs := append([]slog.Attr{slog.String("action", action)}, more...)
	attrs = append(attrs, slog.String("decision", "denied"),
		slog.String("reason", "the limit of "+limit))
	n.options.Audit.LogAttrs(context.Background(), slog.LevelWarn, message, attrs...)
}
