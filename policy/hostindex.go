package policy

import (
	"cmp"
	"encoding/binary"
	"math"
	"net/netip"
	"slices"
)

// hostIndex finds the item that is filed under an address: the leaf of the longest prefix that
// contains the address, and from there the leaves of the shorter prefixes. public is filed under
// every public address. A search is a binary search over the ends of the prefixes, and allocates
// nothing.
type hostIndex[L any] struct {
	v4, v6 tree[L]
	public *L
}

// find returns the node of the longest prefix that contains a, or nil. Its parents have the shorter
// prefixes.
func (x *hostIndex[L]) find(a netip.Addr) *node[L] {
	if a.Is4() {
		b := a.As4()
		return x.v4.find(key{0, uint64(binary.BigEndian.Uint32(b[:]))})
	}
	b := a.As16()
	return x.v6.find(key{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])})
}

// findPublic returns the item that is filed under every public address, or nil if a is not public.
func (x *hostIndex[L]) findPublic(a netip.Addr) *L {
	if x.public != nil && classOf(a) == classPublic {
		return x.public
	}
	return nil
}

// empty reports whether no item is filed.
func (x *hostIndex[L]) empty() bool {
	return x.public == nil && len(x.v4.nodes) == 0 && len(x.v6.nodes) == 0
}

// covers reports whether an item is filed under a.
func (x *hostIndex[L]) covers(a netip.Addr) bool {
	return x.find(a) != nil || x.findPublic(a) != nil
}

// node is one prefix of a tree.
type node[L any] struct {
	// parent has the next shorter prefix that contains this one.
	parent *node[L]
	leaf   L
	end    key
}

// tree cuts the address space of one family into ranges: nodes[i] has the longest prefix of the
// addresses from starts[i] to the next start.
type tree[L any] struct {
	starts []key
	nodes  []*node[L]
}

// find returns the node of the range that contains k, or nil.
func (t *tree[L]) find(k key) *node[L] {
	lo, hi := 0, len(t.starts)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if t.starts[mid].after(k) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	if lo == 0 {
		return nil
	}
	return t.nodes[lo-1]
}

// setFrom makes n the node of the addresses from k on.
func (t *tree[L]) setFrom(k key, n *node[L]) {
	if last := len(t.starts) - 1; last >= 0 && t.starts[last] == k {
		t.nodes[last] = n
		return
	}
	t.starts = append(t.starts, k)
	t.nodes = append(t.nodes, n)
}

// key is an address as a number.
type key struct{ hi, lo uint64 }

func (k key) after(o key) bool {
	return k.hi > o.hi || k.hi == o.hi && k.lo > o.lo
}

// prefixRange returns the first and the last address of a masked prefix.
func prefixRange(p netip.Prefix) (first, last key) {
	if p.Addr().Is4() {
		b := p.Addr().As4()
		first.lo = uint64(binary.BigEndian.Uint32(b[:]))
		last.lo = first.lo | math.MaxUint32>>p.Bits()
		return first, last
	}
	b := p.Addr().As16()
	first = key{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
	last = first
	if p.Bits() < 64 {
		last.hi |= math.MaxUint64 >> p.Bits()
		last.lo = math.MaxUint64
	} else {
		last.lo |= math.MaxUint64 >> (p.Bits() - 64)
	}
	return first, last
}

// hostBuilder collects items under prefixes, from which buildHosts makes a hostIndex.
type hostBuilder[T any] struct {
	under  map[netip.Prefix][]T
	public []T
}

func (b *hostBuilder[T]) add(p netip.Prefix, item T) {
	if b.under == nil {
		b.under = make(map[netip.Prefix][]T)
	}
	b.under[p] = append(b.under[p], item)
}

// addHost files an item under each prefix of a host.
func (b *hostBuilder[T]) addHost(h host, item T) {
	if h.isPublic() || h == anyHost {
		b.public = append(b.public, item)
	}
	for _, p := range h.prefixes() {
		b.add(p, item)
	}
}

// buildHosts returns the index of the collected items. leaf makes the leaf of a prefix from its
// items.
func buildHosts[T, L any](b *hostBuilder[T], leaf func([]T) L) *hostIndex[L] {
	x := new(hostIndex[L])
	if b.public != nil {
		l := leaf(b.public)
		x.public = &l
	}
	var v4, v6 []netip.Prefix
	for p := range b.under {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	x.v4 = buildTree(v4, func(p netip.Prefix) L { return leaf(b.under[p]) })
	x.v6 = buildTree(v6, func(p netip.Prefix) L { return leaf(b.under[p]) })
	return x
}

// buildTree sorts the prefixes so that each one follows those that contain it. It keeps the
// prefixes that contain the current address as a list from the longest to the shortest.
func buildTree[L any](prefixes []netip.Prefix, leaf func(netip.Prefix) L) tree[L] {
	slices.SortFunc(prefixes, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	var t tree[L]
	var open *node[L] // the prefixes that contain the current address, the longest first
	leave := func() {
		next := key{open.end.hi, open.end.lo + 1}
		if next.lo == 0 {
			next.hi++
		}
		open = open.parent
		if next != (key{}) {
			t.setFrom(next, open)
		}
	}
	for _, p := range prefixes {
		first, last := prefixRange(p)
		for open != nil && first.after(open.end) {
			leave()
		}
		open = &node[L]{parent: open, leaf: leaf(p), end: last}
		t.setFrom(first, open)
	}
	for open != nil {
		leave()
	}
	return t
}
