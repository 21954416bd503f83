package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// AllowNet returns the rules that allow the whole network: "any" for each action, and every name.
// [AllowUnix] has those for Unix-domain sockets.
func AllowNet(from Origin) []Rule {
	rules := rulesForHost(anyHost, from)
	return append(rules, newRule(ActionResolve, host{kind: star}, from))
}

// rulesForHost returns the rules that allow every action on a host.
func rulesForHost(h host, from Origin) []Rule {
	rules := []Rule{newRule(ActionConnect, h, from), newRule(ActionListen, h, from)}
	if h.hasMulticast() {
		rules = append(rules, newRule(ActionJoin, h, from))
	}
	return rules
}

func newRule(action Action, h host, from Origin) Rule {
	r := Rule{action: action, protocols: bothProtocols, host: h, origin: from}
	r.setText()
	return r
}

// AddrPool returns the rules for the value of iwasm's --addr-pool, such as "10.0.0.0/8,::1/128"
// (product-mini/platforms/posix/main.c of WAMR): connect, listen and join in each range, with both
// protocols, all ports and any peer. A base of zeros stands for every address of its family
// whatever the mask, as in iwasm; a warning says so. Bits of a base beyond the mask are ignored, as
// in iwasm. An IPv4-mapped range is the IPv4 range inside it, unlike in iwasm. The error is an
// [*Error].
func AddrPool(list string, from Origin) (rules []Rule, warnings []string, err error) {
	at := 0
	for entry := range strings.SplitSeq(list, ",") {
		pre, err := parser{from}.poolEntry(word{entry, at})
		if err != nil {
			return nil, nil, err
		}
		at += len(entry) + 1
		switch a := pre.Addr(); {
		case a.IsUnspecified():
			pre = netip.PrefixFrom(a, 0)
			warnings = append(warnings,
				fmt.Sprintf("%s: %s means every address of its family, loopback and private ones "+
					"included", from, entry))
		case a.Is4In6() && pre.Bits() >= 96:
			pre = netip.PrefixFrom(a.Unmap(), pre.Bits()-96)
		}
		rules = append(rules, rulesForHost(host{kind: byPrefix, prefix: pre.Masked()}, from)...)
	}
	return rules, warnings, nil
}

// poolEntry parses ADDRESS/MASK.
func (p parser) poolEntry(w word) (netip.Prefix, *Error) {
	base, mask, ok := strings.Cut(w.text, "/")
	a, err := netip.ParseAddr(base)
	if !ok || err != nil || a.Zone() != "" {
		return netip.Prefix{}, p.fail(w.offset, "write ADDRESS/MASK, such as 10.0.0.0/8 or ::1/128",
			"%q is not a range of addresses", w.text)
	}
	bits, err := strconv.ParseUint(mask, 10, 8)
	if err != nil || int(bits) > a.BitLen() {
		return netip.Prefix{}, p.fail(w.offset+len(base)+1,
			fmt.Sprintf("write a number from 0 to %d", a.BitLen()), "%q is not a mask", mask)
	}
	return netip.PrefixFrom(a, int(bits)), nil
}

// AllowResolve returns the rules for the value of --allow-resolve: patterns separated by spaces.
// iwasm also expects the addresses here that a guest passes to a lookup as text. They need no rule,
// and a warning says so. The error is an [*Error].
func AllowResolve(patterns string, from Origin) (rules []Rule, warnings []string, err error) {
	w := splitWords(patterns)
	w = slices.DeleteFunc(w, func(w word) bool {
		_, err := netip.ParseAddr(w.text)
		if err == nil {
			warnings = append(warnings,
				fmt.Sprintf("%s: %s is an address, which needs no lookup", from, w.text))
		}
		return err == nil
	})
	if len(w) == 0 && len(warnings) > 0 {
		return nil, warnings, nil
	}
	rules, perr := parser{from}.targets(Allow, ActionResolve, w, len(patterns))
	if perr != nil {
		return nil, nil, perr
	}
	return rules, warnings, nil
}
