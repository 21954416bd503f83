package guard

import (
	"context"
	"log/slog"
	"strconv"
	"sync/atomic"

	"golang.org/x/time/rate"

	"github.com/wasport/wasport/policy"
)

// deniedRecordsPerSecond limits the records that anybody outside can cause.
const deniedRecordsPerSecond = 100

// deniedPeers limits the records of peers that were turned away.
type deniedPeers struct {
	limiter *rate.Limiter
	// omitted is the number of peers without a record since the last record.
	omitted atomic.Int64
}

// recordMessage is the message of every record.
const recordMessage = "network decision"

// maxName is the length to which a text that is not a name is cut, in bytes: that of the longest
// name (RFC 1035, section 2.3.4).
const maxName = 253

// record writes one record of a decision on a request.
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
		local := r.Local.String()
		if r.Protocol == policy.Unix {
			local = formatPath(r.Path)
		}
		attrs = append(attrs, slog.String("address", local))
	case policy.OpAccept, policy.OpReceive:
		attrs = append(attrs, slog.String("address", r.Remote.String()),
			slog.String("local", r.Local.String()))
	case policy.OpJoin:
		attrs = append(attrs, slog.String("address", r.Remote.Addr().String()))
	case policy.OpConnect:
		attrs = append(attrs, slog.String("address", destinationOf(r)))
	}
	attrs = append(attrs, slog.String("decision", decision))
	n.options.Audit.LogAttrs(context.Background(), level, recordMessage, append(attrs, more...)...)
}

// destinationOf returns the address or the path of a connect, or the name and the port if a proxy
// resolves it.
func destinationOf(r policy.Request) string {
	switch {
	case r.Protocol == policy.Unix:
		return formatPath(r.Path)
	case r.Remotely:
		return nameOf(r) + ":" + strconv.Itoa(int(r.Remote.Port()))
	}
	return r.Remote.String()
}

// nameOf returns the name in a request. A text of the guest that is not a name is quoted, so that
// no control character reaches a terminal.
func nameOf(r policy.Request) string {
	if r.Name == "" {
		return ""
	}
	if name, err := policy.CanonicalName(r.Name); err == nil {
		return name
	}
	return strconv.QuoteToASCII(r.Name[:min(len(r.Name), maxName)])
}

// ruleAttrs returns the rule that decided, and its origin.
func ruleAttrs(rule *policy.Rule) []slog.Attr {
	if rule == nil {
		return nil
	}
	return []slog.Attr{slog.String("rule", rule.String()),
		slog.String("written", rule.Origin().String())}
}

// recordAllowed records an allowed request.
func (n *Network) recordAllowed(r policy.Request, d policy.Decision) {
	name := d.Name
	if name == "" {
		name = nameOf(r)
	}
	n.record(slog.LevelInfo, "allowed", r, name, ruleAttrs(d.Rule)...)
}

// recordRefusal records a refused request with its reason and hint.
func (n *Network) recordRefusal(f *policy.Refusal, more ...slog.Attr) {
	attrs := append(ruleAttrs(f.Rule), slog.String("reason", f.Reason))
	if hint := f.Hint(); hint != "" {
		attrs = append(attrs, slog.String("hint", hint))
	}
	n.record(slog.LevelWarn, "denied", f.Request, nameOf(f.Request), append(attrs, more...)...)
}

// recordDeniedPeer records a peer that was turned away, at most deniedRecordsPerSecond times a
// second.
func (n *Network) recordDeniedPeer(active *policySnapshot, r policy.Request, d policy.Decision) {
	denied := &n.deniedPeers
	if !denied.limiter.Allow() {
		denied.omitted.Add(1)
		return
	}
	var more []slog.Attr
	if omitted := denied.omitted.Swap(0); omitted > 0 {
		more = append(more, slog.Int64("omitted", omitted))
	}
	n.recordRefusal(active.policy.Explain(r, d), more...)
}

// recordFiltered records the addresses that were removed from an answer.
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

// recordLimit records a call that a limit refused.
func (n *Network) recordLimit(op policy.Op, limit string, more ...slog.Attr) {
	attrs := append([]slog.Attr{slog.String("action", op.String())}, more...)
	attrs = append(attrs, slog.String("decision", "denied"),
		slog.String("reason", "the limit of "+limit))
	n.options.Audit.LogAttrs(context.Background(), slog.LevelWarn, recordMessage, attrs...)
}
