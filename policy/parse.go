package policy

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Error is a mistake in a policy.
type Error struct {
	Origin Origin
	// Problem describes the mistake.
	Problem string
	// Hint says how to correct it. It may be empty.
	Hint string
}

func (e *Error) Error() string {
	s := e.Problem
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	switch at := e.Origin; {
	case at.Source == "":
		return s
	case at.Line == 0 && at.Column > 1:
		return fmt.Sprintf("%s: at character %d: %s", at, at.Column, s)
	default:
		return at.String() + ": " + s
	}
}

// word is a word of a rule's text, and its offset there in bytes.
type word struct {
	text   string
	offset int
}

// splitWords splits a text at spaces, tabs and newlines.
func splitWords(s string) []word {
	var out []word
	for at := 0; at < len(s); {
		n := strings.IndexAny(s[at:], " \t\n")
		if n < 0 {
			n = len(s) - at
		}
		if n > 0 {
			out = append(out, word{s[at : at+n], at})
		}
		at += n + 1
	}
	return out
}

// parser reads the rules of one text.
type parser struct {
	origin Origin
}

// fail returns the error for a mistake at an offset of the text.
func (p parser) fail(at int, hint, problem string, args ...any) *Error {
	o := p.origin
	if o.Column == 0 {
		o.Column = 1
	}
	o.Column += at
	return &Error{o, clip(fmt.Sprintf(problem, args...)), clip(hint)}
}

// clip shortens a text that repeats a word of the policy, which may be long.
func clip(s string) string {
	const longest = 400
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "…"
}

// ParseRule parses one rule, such as "allow connect tcp://api.example.com:443". from is the place
// where it was written. The error is an [*Error].
func ParseRule(text string, from Origin) (Rule, error) {
	p := parser{from}
	w := splitWords(text)
	if len(w) == 0 {
		return Rule{}, p.fail(0, `write for instance "allow connect tcp://api.example.com:443"`,
			"the rule is empty")
	}
	var effect Effect
	switch w[0].text {
	case "allow":
	case "deny":
		effect = Deny
	default:
		return Rule{}, p.fail(w[0].offset, `start the rule with "allow" or "deny"`,
			"%q is not an effect", w[0].text)
	}
	return p.rule(effect, w[1:], len(text))
}

// rule parses the words of a rule from its action on. end is the offset of the end of the text.
func (p parser) rule(effect Effect, w []word, end int) (Rule, error) {
	if len(w) == 0 {
		return Rule{}, p.fail(end, "write connect, listen, join or resolve",
			"the action is missing")
	}
	action := slices.Index(actionNames[:], w[0].text)
	if action < 0 {
		hint := "write connect, listen, join or resolve"
		if w[0].text == "allow" || w[0].text == "deny" {
			hint = "leave it out: the list says it already"
		}
		return Rule{}, p.fail(w[0].offset, hint, "%q is not an action", w[0].text)
	}
	rules, err := p.targets(effect, Action(action), w[1:], end)
	if err != nil {
		return Rule{}, err
	}
	if len(rules) > 1 {
		return Rule{}, p.fail(w[2].offset, "write one rule for each",
			"the rule has more than one target")
	}
	return rules[0], nil
}

// ParseTargets parses the value of a flag: the targets of an action, separated by spaces, such as
// "tcp://127.0.0.1:8080 from 10.0.0.0/8 udp://[::1]:53". The error is an [*Error].
func ParseTargets(effect Effect, action Action, text string, from Origin) ([]Rule, error) {
	p, w := parser{from}, splitWords(text)
	rules, err := p.targets(effect, action, w, len(text))
	if err == nil {
		err = p.refuseStrayWord(action, w)
	}
	if err == nil {
		err = p.refuseAmbiguousFrom(w)
	}
	if err != nil {
		return nil, err
	}
	return rules, nil
}

// targets parses words into one rule for each target.
func (p parser) targets(effect Effect, action Action, w []word, end int) ([]Rule, *Error) {
	if len(w) == 0 {
		return nil, p.fail(end, "write for instance "+examples[action], "there is nothing to %s",
			action)
	}
	var out []Rule
	for len(w) > 0 {
		r := Rule{effect: effect, action: action, protocols: bothProtocols, origin: p.origin}
		if r.origin.Line == 0 && w[0].offset > 0 {
			r.origin.Column = w[0].offset + 1
		}
		if err := p.target(&r, w[0]); err != nil {
			return nil, err
		}
		w = w[1:]
		if len(w) > 0 && w[0].text == "from" {
			if action != ActionListen {
				return nil, p.fail(w[0].offset, "leave it out",
					`"from" says who may connect to a listener; %s has none`, action)
			}
			if len(w) == 1 {
				return nil, p.fail(end, "write an address, a CIDR or a group",
					`nobody follows "from"`)
			}
			if r.protocols == Unix {
				return nil, p.fail(w[0].offset, "leave it out: the permissions of its directory "+
					"and of its file say who connects", "a peer of %s has no address", r.host)
			}
			if err := p.peer(&r, w[1]); err != nil {
				return nil, err
			}
			w = w[2:]
		}
		r.setText()
		out = append(out, r)
	}
	return out, nil
}

var examples = [...]string{
	ActionConnect: "tcp://api.example.com:443",
	ActionListen:  "tcp://127.0.0.1:8080",
	ActionJoin:    "udp://224.0.0.251",
	ActionResolve: "*.example.com",
}

// misspeltProtocol is a target with a protocol that is not followed by "://". In "tcp:80", tcp is a
// host. It is compiled for the first rule: a process without rules starts sooner.
var misspeltProtocol = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(tcp|udp)(?::/?|//?)([^/0-9].*|[0-9]+[^0-9,-].*)$`)
})

// target parses [PROTOCOL://]HOST[:PORTS] into r (the brackets of an IPv6 address as in RFC 3986,
// section 3.2.2), or unix:PATH.
func (p parser) target(r *Rule, w word) *Error {
	if isUnixTarget(w.text) {
		return p.unixTarget(r, w)
	}
	if m := misspeltProtocol().FindStringSubmatch(w.text); m != nil {
		return p.fail(w.offset, fmt.Sprintf("write %s://%s", m[1], m[2]),
			"%q has a protocol without \"://\"", w.text)
	}
	rest := w
	if scheme, after, ok := strings.Cut(w.text, "://"); ok {
		switch scheme {
		case "tcp":
			r.protocols = TCP
		case "udp":
			r.protocols = UDP
		default:
			return p.fail(w.offset, "write tcp://, udp://, neither for both, or unix:/PATH",
				"%q is not a protocol", scheme)
		}
		rest = word{after, w.offset + len(scheme) + len("://")}
	}
	host, ports, hasPorts, err := p.split(rest)
	if err != nil {
		return err
	}
	if r.action == ActionResolve && (hasPorts || rest.offset != w.offset) {
		return p.fail(w.offset, "write "+host.text,
			"resolve takes a name alone, without protocol and port")
	}
	if r.host, err = p.host(host); err != nil {
		return err
	}
	if err := p.refuseUnlikelyName(r.action, host, r.host); err != nil {
		return err
	}
	if hasPorts {
		if r.ports, err = p.ports(ports); err != nil {
			return err
		}
	}
	return p.check(r, host, ports, hasPorts)
}

// split cuts HOST[:PORTS] at the colon before the ports.
func (p parser) split(w word) (host, ports word, hasPorts bool, _ *Error) {
	if inside, ok := strings.CutPrefix(w.text, "["); ok {
		h, after, closed := strings.Cut(inside, "]")
		switch {
		case !closed:
			return host, ports, false, p.fail(w.offset, closeBracket(inside), `"[" is not closed`)
		case strings.HasPrefix(after, "/"):
			bits, _, _ := strings.Cut(after, ":")
			return host, ports, false, p.fail(w.offset+len(h)+2, "write ["+h+bits+"]",
				"the prefix length belongs inside the brackets")
		case after != "" && after[0] != ':':
			return host, ports, false, p.fail(w.offset+len(h)+2, "write [address]:port",
				"%q follows the bracket", after)
		}
		host = word{h, w.offset + 1}
		if after == "" {
			return host, ports, false, nil
		}
		return host, word{after[1:], w.offset + len(h) + 3}, true, nil
	}
	if strings.Count(w.text, ":") != 1 { // no port, or an IPv6 address
		return w, ports, false, p.refuseAmbiguousPort(w)
	}
	h, after, _ := strings.Cut(w.text, ":")
	return word{h, w.offset}, word{after, w.offset + len(h) + 1}, true, nil
}

// closeBracket is the hint for an address that follows a bracket which is not closed.
func closeBracket(inside string) string {
	switch withPort, alone := Readings(inside); {
	case alone != "":
		return fmt.Sprintf("write %s for the port, or %s for the address", withPort, alone)
	case withPort != "":
		return "write " + withPort
	}
	return `close the bracket: "[` + inside + `]"`
}

// ports parses "80,443,8000-8999" into sorted ranges that do not touch. It returns nil for every
// port.
func (p parser) ports(w word) ([]portRange, *Error) {
	var out []portRange
	at := w.offset
	for part := range strings.SplitSeq(w.text, ",") {
		lo, hi, isRange := strings.Cut(part, "-")
		first, err1 := strconv.ParseUint(lo, 10, 16)
		last, err2 := first, error(nil)
		if isRange {
			last, err2 = strconv.ParseUint(hi, 10, 16)
		}
		switch {
		case err1 != nil || err2 != nil:
			return nil, p.fail(at,
				"write ports such as 443, 80,443 or 8000-8999; the highest is 65535",
				"%q is not a port", part)
		case first > last:
			return nil, p.fail(at, fmt.Sprintf("write %d-%d", last, first),
				"the range %s is the wrong way round", part)
		}
		out = append(out, portRange{uint16(first), uint16(last)})
		at += len(part) + 1
	}
	return mergePorts(out), nil
}

// mergePorts sorts ranges, of which there is at least one, and joins those that touch. It returns
// nil for every port.
func mergePorts(out []portRange) []portRange {
	slices.SortFunc(out, func(a, b portRange) int { return int(a.first) - int(b.first) })
	merged := out[:1]
	for _, r := range out[1:] {
		if last := &merged[len(merged)-1]; int(r.first) <= int(last.last)+1 {
			last.last = max(last.last, r.last)
		} else {
			merged = append(merged, r)
		}
	}
	// Port 0 is an ephemeral port, which a rule for every port includes.
	if merged[0].first <= 1 && merged[0].last == math.MaxUint16 {
		return nil
	}
	return merged
}
