package virtual

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/wasport/wasport/network"
)

// Config describes a world. The zero value is that of New.
type Config struct {
	// MTU is the size of the largest IP packet between two hosts in bytes, 576 to 65535; 0 = 65535.
	// A longer datagram is EMSGSIZE: nothing here fragments. Loopback takes 65535 in any world.
	MTU int

	// Clock is the time of the world; nil = the machine's.
	Clock Clock
}

// A World is a number of hosts on one link, which all reach each other.
type World struct {
	mtu   int
	clock Clock
	// waiters are kept with their timers for the next wait.
	waiters sync.Pool

	mu      sync.RWMutex
	hosts   []*Host
	byAddr  map[netip.Addr]*Host
	byName  map[string]*Host
	members map[netip.Addr][]*membership
	gateway network.Network
}

// New makes an empty world.
func New() *World {
	w, _ := Config{}.New()
	return w
}

// New makes an empty world. It returns an error for an MTU out of range.
func (c Config) New() (*World, error) {
	w := &World{mtu: c.MTU, clock: c.Clock, byAddr: make(map[netip.Addr]*Host),
		byName: make(map[string]*Host), members: make(map[netip.Addr][]*membership)}
	switch {
	case c.MTU == 0:
		w.mtu = maxMTU
	case c.MTU < minMTU || c.MTU > maxMTU:
		return nil, fmt.Errorf("an MTU of %d bytes: it must be from %d to %d", c.MTU, minMTU,
			maxMTU)
	}
	if w.clock == nil {
		w.clock = systemClock{}
	}
	w.waiters.New = func() any { return newWaiter(w.clock) }
	return w, nil
}

// The sizes of packets: that of RFC 791 which every host must take, and the largest.
const (
	minMTU = 576
	maxMTU = 65535
)

// Host adds a host with a name that the others can resolve, and with addresses of either family
// that belong to no other host. Without addresses, it gets one of each family: 10.0.0.1 and
// fd00::1, and so on.
//
// The name is not empty, no address, and has no upper limit of labels; its case and a final dot do
// not matter.
// "localhost" is each host's own.
func (w *World) Host(name string, addrs ...netip.Addr) (*Host, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := canonicalName(name)
	if key == "" || key == localhost {
		return nil, fmt.Errorf("host %q: a host needs a name, other than %s", name, localhost)
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return nil, fmt.Errorf("host %s: an address is no name; pass it after the name", name)
	}
	if _, taken := w.byName[key]; taken {
		return nil, fmt.Errorf("host %s: the world has one of this name", name)
	}
	if len(addrs) == 0 {
		addrs = w.freeAddrs()
	}
	h := &Host{world: w, name: name, nextPort: firstEphemeral, tcp: make(map[uint16]*port),
		udp: make(map[uint16]*port)}
	for _, a := range addrs {
		a = a.Unmap()
		switch {
		case !a.IsGlobalUnicast() && !a.IsLinkLocalUnicast() || a.Zone() != "":
			return nil, fmt.Errorf("host %s: %v is no unicast address for a host", name, a)
		case w.byAddr[a] != nil:
			return nil, fmt.Errorf("host %s: %v belongs to %s", name, a, w.byAddr[a].name)
		case slices.Contains(h.addrs, a):
			return nil, fmt.Errorf("host %s: %v is there twice", name, a)
		}
		h.addrs = append(h.addrs, a)
	}
	for _, a := range h.addrs {
		w.byAddr[a] = h
	}
	w.byName[key] = h
	w.hosts = append(w.hosts, h)
	return h, nil
}

// freeAddrs returns an address of each family that no host has.
func (w *World) freeAddrs() []netip.Addr {
	for n := len(w.hosts) + 1; ; n++ {
		four := netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
		six := netip.AddrFrom16([16]byte{0: 0xfd, 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)})
		if w.byAddr[four] == nil && w.byAddr[six] == nil {
			return []netip.Addr{four, six}
		}
	}
}

// Gateway lets connections, datagrams and lookups that find no host go out to another network. The
// hosts keep their loopback addresses, and only answers come in. It is set before sockets are made,
// since the memory that BufferLimits reports depends on it. Nil closes the gateway for new sockets.
func (w *World) Gateway(n network.Network) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gateway = n
}

func canonicalName(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, "."))
}
