package guard

import (
	"encoding/binary"
	"net/netip"
	"sync"

	"github.com/wasport/wasport/network"
)

// standIns are addresses that stand for names which a proxy resolves (see network.RemoteResolver).
// The guest connects to such an address, and the guard judges the name and passes it on. Addresses
// of one guest mean nothing to another.
//
// They are of ranges that no host has: 240.0.0.0/4 (RFC 1112, section 4) and 100::/64 (RFC 6666).
// An address never stands for another name later, so a guest that kept it connects to no other
// host than it was for.
type standIns struct {
	// mu protects the fields below.
	mu sync.Mutex
	// names has the name of each number in use, and numbers the reverse.
	names   map[uint32]string
	numbers map[string]uint32
	// used has the time of the latest lookup, in lookups.
	used    map[uint32]uint64
	lookups uint64
	last    uint32
}

const (
	// maxStandIns is the number of names of a guest beyond which the one is forgotten whose latest
	// lookup is the oldest.
	maxStandIns = 4096
	// lastStandIn is the largest number. 255.0.0.0/8 is left out, which has the broadcast address.
	lastStandIn = 15<<24 - 1

	standIn4 = 240 << 24
)

var standIn6 = netip.MustParsePrefix("100::/64")

// of returns the addresses that stand for a name, or nil if there are no more: one, of IPv4 unless
// the family is IPv6.
func (t *standIns) of(name string, family network.Family) []netip.Addr {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, known := t.numbers[name]
	if !known {
		if t.last == lastStandIn {
			return nil
		}
		t.makeRoom()
		t.last++
		n = t.last
		t.names[n], t.numbers[name] = name, n
	}
	t.lookups++
	t.used[n] = t.lookups
	if family == network.IPv6 {
		b := standIn6.Addr().As16()
		binary.BigEndian.PutUint32(b[12:], n)
		return []netip.Addr{netip.AddrFrom16(b)}
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], standIn4+n)
	return []netip.Addr{netip.AddrFrom4(b)}
}

// makeRoom makes the maps, and forgets a name if there are too many. mu is held.
func (t *standIns) makeRoom() {
	if t.names == nil {
		t.names, t.numbers = make(map[uint32]string), make(map[string]uint32)
		t.used = make(map[uint32]uint64)
	}
	if len(t.names) < maxStandIns {
		return
	}
	var oldest uint32
	for n, at := range t.used {
		if oldest == 0 || at < t.used[oldest] {
			oldest = n
		}
	}
	delete(t.numbers, t.names[oldest])
	delete(t.names, oldest)
	delete(t.used, oldest)
}

// name returns the name for which an address stands, or "".
func (t *standIns) name(a netip.Addr) string {
	var n uint32
	switch a = a.Unmap(); {
	case a.Is4():
		b := a.As4()
		if n = binary.BigEndian.Uint32(b[:]); n < standIn4 {
			return ""
		}
		n -= standIn4
	case standIn6.Contains(a.WithZone("")):
		b := a.As16()
		if binary.BigEndian.Uint32(b[8:]) != 0 {
			return ""
		}
		n = binary.BigEndian.Uint32(b[12:])
	default:
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.names[n]
}

// resolvesRemotely reports whether lookups are answered with addresses that stand for names.
func (n *Network) resolvesRemotely() bool {
	r, ok := n.base.(network.RemoteResolver)
	return ok && r.ResolvesRemotely()
}
