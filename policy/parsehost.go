package policy

import (
	"fmt"
	"net/netip"
	"strings"
)

// host parses an address, a CIDR, a group, a name or a wildcard.
func (p parser) host(w word) (host, *Error) {
	s := w.text
	switch {
	case s == "":
		return host{}, p.fail(w.offset, `write an address, a CIDR, a name, a group, "*" or "any"`,
			"the host is missing")
	case s == "*":
		return host{kind: star}, nil
	}
	if c := groupClass(s); c >= 0 {
		return host{kind: byClass, class: class(c)}, nil
	}
	if strings.Contains(s, "%") {
		return host{}, p.fail(w.offset, "leave the zone out: rules hold for every interface",
			"%q has a zone", s)
	}
	if strings.Contains(s, "/") {
		return p.prefix(w)
	}
	if a, err := netip.ParseAddr(s); err == nil {
		if a.Is4In6() {
			return host{}, p.fail(w.offset, "write "+a.Unmap().String(),
				"%s is judged as the IPv4 address inside it", s)
		}
		return host{kind: byPrefix, prefix: netip.PrefixFrom(a, a.BitLen())}, nil
	}
	if strings.Contains(s, ":") {
		return host{}, p.fail(w.offset, "an IPv6 address with a port is written [address]:port",
			"%q is not an address", s)
	}
	h := host{kind: byName}
	if under, ok := strings.CutPrefix(s, "*."); ok {
		h.kind, s = underName, under
	} else if after, ok := strings.CutPrefix(s, "*"); ok && !strings.Contains(after, "*") {
		return host{}, p.fail(w.offset,
			fmt.Sprintf(`write "*.%s" for the names under it, and %q for itself`, after, after),
			"%q would also match %q", w.text, "evil"+after)
	}
	if strings.Contains(s, "*") {
		return host{}, p.fail(w.offset, `write "*.name" for the names under a name`,
			"a wildcard stands only at the front, followed by a dot")
	}
	name, err := CanonicalName(s)
	if err != nil {
		hint := ""
		if strings.Contains(s, ",") {
			hint = "write a rule for each of them"
		}
		return host{}, p.fail(w.offset, hint, "%q is %v", s, err)
	}
	if isPorts(s) {
		return host{}, p.fail(w.offset, "write the host before it, such as 127.0.0.1:"+s,
			"%q is a port without a host", s)
	}
	if endsInNumber(name) {
		return host{}, p.fail(w.offset, "write an address in full, such as 127.0.0.1",
			"%q is neither an address nor a name that the DNS has", s)
	}
	h.name = name
	return h, nil
}

// groupClass returns the class of a group's name, or -1.
func groupClass(name string) int {
	for c, names := range classes {
		if names.group == name && name != "" {
			return c
		}
	}
	return -1
}

// prefix parses a CIDR (RFC 4632, section 3.1). It refuses bits beyond the mask.
func (p parser) prefix(w word) (host, *Error) {
	pre, err := netip.ParsePrefix(w.text)
	if err != nil {
		base, bits, _ := strings.Cut(w.text, "/")
		a, addrErr := netip.ParseAddr(base)
		if addrErr != nil {
			return host{}, p.fail(w.offset,
				"a rule ends at the port, and a CIDR is written 10.0.0.0/8",
				"%q is not a CIDR", w.text)
		}
		return host{}, p.fail(w.offset+len(base)+1,
			fmt.Sprintf("write a number from 0 to %d",
				a.BitLen()), "%q is not a prefix length", bits)
	}
	if masked := pre.Masked(); masked != pre {
		single := netip.PrefixFrom(pre.Addr(), pre.Addr().BitLen())
		return host{}, p.fail(w.offset,
			fmt.Sprintf("write %s, or %s for the one address", masked, single.Addr()),
			"%s has bits set beyond the mask", pre)
	}
	if pre.Addr().Is4In6() && pre.Bits() >= 96 {
		in4 := netip.PrefixFrom(pre.Addr().Unmap(), pre.Bits()-96)
		return host{}, p.fail(w.offset, "write "+in4.String(),
			"%s is judged as the IPv4 addresses inside it", pre)
	}
	return host{kind: byPrefix, prefix: pre}, nil
}

// peer parses the word after "from" into r.
func (p parser) peer(r *Rule, w word) *Error {
	if ap, err := netip.ParseAddrPort(w.text); err == nil {
		return p.fail(w.offset, "write "+ap.Addr().String(),
			"a peer has no port: it may connect from any")
	}
	if err := p.refuseAmbiguousPort(w); err != nil {
		err.Hint += "; a peer has no port"
		return err
	}
	if inside, ok := strings.CutPrefix(w.text, "["); ok && strings.HasSuffix(inside, "]") {
		w = word{strings.TrimSuffix(inside, "]"), w.offset + 1}
	}
	h, err := p.host(w)
	if err != nil {
		return err
	}
	if err := p.refuseUnlikelyName(r.action, w, h); err != nil {
		return err
	}
	return p.setPeer(r, w, h)
}

// setPeer makes h, which w spells, the peer of r.
func (p parser) setPeer(r *Rule, w word, h host) *Error {
	switch {
	case h.kind == byName || h.kind == underName:
		return p.fail(w.offset, "write an address, a CIDR or a group",
			"%q is a name, and a peer is known by its address", w.text)
	case h.kind == byClass && h.class == classAny:
		return nil // r.peer stays anyPeer
	case h.kind == byClass && (h.class == classMulticast || h.class == classBroadcast),
		isUnspecified(h):
		return p.fail(w.offset, "write where the peers are", "nothing ever comes from %s", w.text)
	}
	r.peer = h
	return nil
}

func isUnspecified(h host) bool {
	return h.kind == byPrefix && h.prefix.IsSingleIP() && h.prefix.Addr().IsUnspecified()
}
