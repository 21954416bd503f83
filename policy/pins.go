package policy

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Family is the address family that a lookup asks for.
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
	// pinGrace is the time for which an address stays valid after a later lookup did not return it.
	pinGrace = time.Minute
	// maxAnswer is the largest number of addresses of one answer.
	maxAnswer = 256
	// maxPerName is the largest number of addresses of one name, replaced ones included.
	maxPerName = 1024
	// maxPinned is the largest number of addresses of one guest, counted once for each name.
	maxPinned = 4096
)

// Pins holds the addresses that a guest's lookups returned, for the rules that name a host. Each
// guest has its own. Its methods may be called from several goroutines. Beyond 4096 addresses it
// forgets the names with the oldest last lookup, so a guest cannot make it grow.
type Pins struct {
	now func() time.Time

	// mu protects the fields below.
	mu    sync.RWMutex
	names map[string]*pinnedName
	addrs map[netip.Addr][]pin
	// pinCount is the number of pins in addrs.
	pinCount int
	// lookups is the number of lookups so far.
	lookups uint64

	// sources has, for an address, the name that resolved to it last, even if that grants nothing.
	// It serves hints alone.
	sources map[netip.Addr]string
}

// source returns the name that resolved to a public address last, or "".
func (p *Pins) source(a netip.Addr) string {
	if p == nil || !a.IsValid() {
		return ""
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.sources[a]
}

// setSource stores a name as the source of public addresses.
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

// pinnedName has the pins of one name.
type pinnedName struct {
	addrs []netip.Addr
	// lastLookup is Pins.lookups at the name's last lookup.
	lastLookup uint64
}

// pin says that an address was in an answer for a name.
type pin struct {
	name string
	// until is zero until a later lookup replaces the address.
	until time.Time
}

// NewPins returns empty pins. now returns the time, as time.Now does, and may be called from
// several goroutines.
func NewPins(now func() time.Time) *Pins {
	return &Pins{now: now}
}

// find returns the rule of a layer by which a lookup has granted q's remote address, and the name
// that was looked up.
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

// replace makes addrs the answer of the latest lookup of a name. They are normalized, of the
// family, and all different. Addresses of an earlier answer stay valid for pinGrace.
func (p *Pins) replace(name string, family Family, addrs []netip.Addr) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.names == nil { // at the first lookup, which many guests never make
		p.names, p.addrs = make(map[string]*pinnedName), make(map[netip.Addr][]pin)
	}
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

// unpin removes the pin of an address for a name.
func (p *Pins) unpin(a netip.Addr, name string) {
	rest := slices.DeleteFunc(p.addrs[a], func(pin pin) bool { return pin.name == name })
	if p.pinCount--; len(rest) > 0 {
		p.addrs[a] = rest
	} else {
		delete(p.addrs, a)
	}
}

// forgetOldest removes the pins of the name with the oldest last lookup.
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

// Answer judges the answer to a lookup of a name. If a connect rule covers the name, Answer stores
// the addresses in pins, which may be nil. kept are the addresses that the guest may see. removed
// are the addresses that are not public and that no rule reaches by address, which prevents DNS
// rebinding; addresses of another family; and those after the first 256. An answer that only
// resolve rules grant is neither filtered nor stored, since it permits no connect.
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

// layersNaming returns the layers with a connect rule for a name. Each of them filters the answers
// for the name.
func (p *Policy) layersNaming(name string) (list []*layer) {
	for _, l := range p.layers {
		if l.grantsLookup(name) != nil {
			list = append(list, l)
		}
	}
	return list
}

// reachesByAddr reports whether rules allow connects to an address, and to those that it embeds, at
// some port without a name.
func (l *layer) reachesByAddr(a netip.Addr) bool {
	in := embeddedIPv4Of(a)
	for i := range in.n {
		if !l.connect[Allow].covers(in.at(i)) {
			return false
		}
	}
	return l.connect[Allow].covers(a)
}
