package policy

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Family says which addresses a lookup asked for.
type Family uint8

const (
	AnyFamily Family = iota
	IPv4
	IPv6
)

func (f Family) has(a netip.Addr) bool {
	return f == AnyFamily || (f == IPv4) == a.Is4()
}

const (
	pinGrace   = time.Minute // how long an address stays good that a later lookup did not return
	maxAnswer  = 256         // addresses of one answer
	maxPerName = 1024        // addresses of one name, those that were replaced included
	maxPinned  = 4096        // addresses of one guest, counted once for each name
)

// Pins remembers what a guest's lookups returned, for the rules that name a host. Each guest has
// its own. It may be used from several goroutines at once. It is bounded: beyond 4096 addresses the
// names looked up longest ago are forgotten.
type Pins struct {
	now func() time.Time

	mu       sync.RWMutex
	names    map[string]*pinnedName
	addrs    map[netip.Addr][]pin
	pinCount int    // pins in addrs
	lookups  uint64 // counts lookups

	// sources are the names whose lookups returned an address last, also where that grants nothing.
	// They are for hints alone.
	sources map[netip.Addr]string
}

// source returns the name whose lookup returned a public address last.
func (p *Pins) source(a netip.Addr) string {
	if p == nil || !a.IsValid() {
		return ""
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.sources[a]
}

// setSource notes that a lookup of a name returned public addresses.
func (p *Pins) setSource(name string, addrs []netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sources == nil || len(p.sources)+len(addrs) > maxPinned {
		p.sources = make(map[netip.Addr]string)
	}
	for _, a := range addrs {
		p.sources[a] = name
	}
}

// pinnedName is what one name has pinned.
type pinnedName struct {
	addrs      []netip.Addr
	lastLookup uint64 // when it was looked up last
}

// pin says that an address was an answer for a name.
type pin struct {
	name  string
	until time.Time // zero for as long as no later lookup replaces it
}

// NewPins returns an empty set of pins. now tells the time, time.Now for instance; it must be safe
// for concurrent use.
func NewPins(now func() time.Time) *Pins {
	return &Pins{now: now, names: make(map[string]*pinnedName), addrs: make(map[netip.Addr][]pin)}
}

// find returns the rule of l under which a lookup has granted q's remote address, and the name that
// was looked up.
func (p *Pins) find(l *layer, q *query) (*Rule, string) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, pin := range p.addrs[q.remote] {
		if !pin.until.IsZero() && !p.now().Before(pin.until) {
			continue
		}
		if rule := l.findName(pin.name, q); rule != nil {
			return rule, pin.name
		}
	}
	return nil, ""
}

// replace makes addrs, which are normal, of the family and all different, what a lookup of name
// returned.
func (p *Pins) replace(name string, family Family, addrs []netip.Addr) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lookups++
	n := p.names[name]
	if n == nil {
		n = new(pinnedName)
		p.names[name] = n
	}
	n.lastLookup = p.lookups

	old := n.addrs
	for _, a := range old {
		if pin := p.pin(a, name); pin.until.IsZero() && family.has(a) {
			pin.until = now.Add(pinGrace)
		}
	}
	for _, a := range addrs {
		if known := p.pin(a, name); known != nil {
			known.until = time.Time{}
			continue
		}
		p.addrs[a] = append(p.addrs[a], pin{name: name})
		p.pinCount++
	}
	n.addrs = slices.Clone(addrs)
	// in the order in which they were replaced, so that a cut takes the oldest
	for _, a := range old {
		switch until := p.pin(a, name).until; {
		case until.IsZero() && family.has(a): // among addrs
		case !until.IsZero() && !now.Before(until), len(n.addrs) == maxPerName:
			p.unpin(a, name)
		default:
			n.addrs = append(n.addrs, a)
		}
	}
	if len(n.addrs) == 0 {
		delete(p.names, name)
	}
	for p.pinCount > maxPinned {
		p.forgetOldest()
	}
}

// pin returns the pin of an address for a name, or nil.
func (p *Pins) pin(a netip.Addr, name string) *pin {
	pins := p.addrs[a]
	for i := range pins {
		if pins[i].name == name {
			return &pins[i]
		}
	}
	return nil
}

func (p *Pins) unpin(a netip.Addr, name string) {
	rest := slices.DeleteFunc(p.addrs[a], func(pin pin) bool { return pin.name == name })
	if p.pinCount--; len(rest) > 0 {
		p.addrs[a] = rest
	} else {
		delete(p.addrs, a)
	}
}

// forgetOldest drops what the name pinned that was looked up longest ago.
func (p *Pins) forgetOldest() {
	var oldest string
	turn := p.lookups + 1
	for name, n := range p.names {
		if n.lastLookup < turn {
			oldest, turn = name, n.lastLookup
		}
	}
	for _, a := range p.names[oldest].addrs {
		p.unpin(a, oldest)
	}
	delete(p.names, oldest)
}

// Answer judges what a lookup of a name returned, and remembers it in pins where a rule that names
// a host covers the name. kept is what the guest may see. removed are special addresses (private
// ones, say) that such a rule must not reach and no other rule reaches, which is how DNS rebinding
// ends, addresses of another family than was asked for, and what exceeds 256 addresses. A lookup
// that only resolve rules grant is not filtered and remembered: it permits no connect.
func (p *Policy) Answer(pins *Pins, name string, family Family, addrs []netip.Addr) (kept,
	removed []netip.Addr) {
	name, err := CanonicalName(name)
	if p == nil || err != nil {
		return nil, addrs
	}
	naming := p.layersNaming(name)
	var pinned []netip.Addr
	for _, a := range addrs {
		n := normalizeAddr(a)
		barred := nonPublic(n)
		unreached := func(l *layer) bool { return !l.reachesByAddr(n) }
		if !family.has(n) || len(kept) == maxAnswer || barred &&
			slices.ContainsFunc(naming, unreached) {
			removed = append(removed, a)
			continue
		}
		kept = append(kept, a.Unmap())
		if !barred && !slices.Contains(pinned, n) {
			pinned = append(pinned, n)
		}
	}
	if pins != nil {
		pins.setSource(name, pinned)
		if len(naming) > 0 {
			pins.replace(name, family, pinned)
		}
	}
	return kept, removed
}

// layersNaming returns the layers with a connect rule for a name, which filter what its lookups return.
func (p *Policy) layersNaming(name string) (list []*layer) {
	for _, l := range p.layers {
		if l.grantsLookup(name) != nil {
			list = append(list, l)
		}
	}
	return list
}

// reachesByAddr reports whether some rule allows connects to the address by itself, whatever the port.
func (l *layer) reachesByAddr(a netip.Addr) bool {
	in := embeddedIPv4Of(a)
	unreached := func(v4 netip.Addr) bool { return !l.connect[Allow].covers(v4) }
	return l.connect[Allow].covers(a) && !slices.ContainsFunc(in.all(), unreached)
}
