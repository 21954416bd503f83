package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Readings returns the two spellings, with brackets, of an IPv6 address or range that was written
// without them and has an end that can be a port. withPort reads the end as ports; alone reads all
// of s as the address, and is empty if s is not an address. Both are empty if the end of s cannot
// be a port.
//
// RFC 5952, section 6, gives the reason: "2001:db8::1:25" is an address, and people write it for
// port 25 of 2001:db8::1. A flag that takes HOST[:PORT] refuses a text with two readings.
func Readings(s string) (withPort, alone string) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || !isPorts(s[i+1:]) {
		return "", ""
	}
	host := s[:i]
	if host == ":" && s != "::1" {
		host = "::" // "::8080" is an address that no host has
	}
	if base, _, _ := strings.Cut(host, "/"); !isIPv6(base) {
		return "", ""
	}
	if isIPv6(s) {
		alone = "[" + s + "]"
	}
	return "[" + host + "]:" + s[i+1:], alone
}

func isIPv6(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is6()
}

// isPorts reports whether s is a port, a range of ports or a list of these.
func isPorts(s string) bool {
	isPort := func(s string) bool {
		_, err := strconv.ParseUint(s, 10, 16)
		return err == nil
	}
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isPort(first) || isRange && !isPort(last) {
			return false
		}
	}
	return true
}

// bracketed returns an address in the spelling that every rule accepts.
func bracketed(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// refuseAmbiguousPort refuses an IPv6 address without brackets if its end is, or can be, a port.
func (p parser) refuseAmbiguousPort(w word) *Error {
	withPort, alone := Readings(w.text)
	switch {
	case alone != "":
		return p.fail(w.offset, "write "+withPort+" for the port, or "+alone+" for the address",
			"%q can be read in two ways", w.text)
	case withPort != "":
		return p.fail(w.offset, "write "+withPort,
			"an IPv6 address is in brackets when a port follows")
	}
	return nil
}

// ruleWords are the words of the rule language that are valid names of hosts.
var ruleWords = slices.Concat([]string{"allow", "deny", "from", "tcp", "udp"}, actionNames[:])

// likelyMistake tells which mistake a name of one label probably is, and its correction. Both are
// empty for a plausible name. A final dot, as in an absolute name (RFC 1034, section 3.1), tells
// that a host is meant.
func (a Action) likelyMistake(name string) (problem, instead string) {
	if slices.Contains(ruleWords, name) {
		return "is a word of the rules", "leave it out"
	}
	if a == ActionResolve { // it takes no groups
		return "", ""
	}
	for _, c := range classes {
		edits := 1
		if len(c.group) > 6 {
			edits = 2
		}
		if c.group != "" && similar(name, c.group, edits) {
			return "is nearly the name of a group", "write " + c.group
		}
	}
	return "", ""
}

// similar reports whether at most edits insertions, deletions, substitutions and swaps of letters
// make a into b.
func similar(a, b string, edits int) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	switch {
	case a == "" || b == "":
		return len(a)+len(b) <= edits
	case edits == 0:
		return false
	case len(a) > 1 && len(b) > 1 && a[0] == b[1] && a[1] == b[0] && similar(a[2:], b[2:], edits-1):
		return true
	}
	return similar(a[1:], b, edits-1) || similar(a, b[1:], edits-1) ||
		similar(a[1:], b[1:], edits-1)
}

// refuseUnlikelyName refuses a name of one label that is probably a mistake.
func (p parser) refuseUnlikelyName(a Action, w word, h host) *Error {
	if h.kind != byName || strings.Contains(h.name, ".") || strings.HasSuffix(w.text, ".") {
		return nil
	}
	problem, instead := a.likelyMistake(h.name)
	if problem == "" {
		return nil
	}
	hint := instead + ", or " + h.name + ". for a host of that name"
	return p.fail(w.offset, hint, "%q %s", w.text, problem)
}

// refuseStrayWord refuses a word without protocol, port and dot among several targets. It is rather
// a superfluous word than a host, as in "x any". A host after a path needs a protocol, since a path
// may have been meant that goes on after a space.
func (p parser) refuseStrayWord(a Action, w []word) *Error {
	if a == ActionResolve || len(w) < 2 {
		return nil
	}
	path := ""
	for i := 0; i < len(w); i++ {
		if path != "" && !strings.Contains(w[i].text, ":/") && w[i].text != "from" {
			return p.fail(w[i].offset, "write tcp:// or udp:// in front of a host; for a path "+
				"with a space, write unix:/DIR/*", "%q may be a part of the path %s", w[i].text,
				path)
		}
		if isUnixTarget(w[i].text) && !strings.HasSuffix(w[i].text, "*") {
			path = w[i].text
		}
		if i+1 < len(w) && w[i+1].text == "from" {
			i += 2
			continue
		}
		if text := w[i].text; text == classes[classAny].group {
			return p.fail(w[i].offset, "leave the others out, or it",
				"%q is every address, so nothing stands beside it", text)
		} else if isLabel(text) && !isGroup(text) {
			return p.fail(w[i].offset, "leave it out, or write "+text+". for a host of that name",
				"%q stands among several targets without a port", text)
		}
	}
	return nil
}

// refuseAmbiguousFrom refuses a target without "from" before a target that has it, since the peer
// can be meant for both. It refuses one after it if the target can be read as a second peer.
func (p parser) refuseAmbiguousFrom(w []word) *Error {
	var bare, with bool
	for i := 0; i < len(w); i++ {
		hasFrom := i+1 < len(w) && w[i+1].text == "from"
		switch {
		case hasFrom && bare:
			return p.fail(w[i+1].offset, `write "from" behind each, or a value for each`,
				`"from" can be meant for one of several targets, or for all`)
		case !hasFrom && with && p.peer(new(Rule), w[i]) == nil:
			text := w[i].text
			return p.fail(w[i].offset,
				fmt.Sprintf(`write "TARGET from %s" for another peer, or %[1]s in a value `+
					`of its own for another target`, text), "%q can be read in two ways", text)
		}
		if bare, with = !hasFrom, hasFrom; hasFrom {
			i += 2
		}
	}
	return nil
}

func isLabel(s string) bool { return !strings.ContainsAny(s, ".:/*[") }

func isGroup(s string) bool {
	for _, c := range classes {
		if c.group == s {
			return true
		}
	}
	return false
}
