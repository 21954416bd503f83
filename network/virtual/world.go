// Package virtual is a network in memory: a world of hosts that reach each other, and nothing else.
//
// Each Host is a network.Network for any number of guests, with a loopback interface of its own and
// addresses that the other hosts reach. For Go code it has Dial, Listen and ListenPacket, so an
// http.Client talks to a server in a guest and a guest to an http.Handler, and no port of the
// machine is opened:
//
//	world := virtual.New()
//	web, err := world.Host("web")
//	...
//	mod.Start(ctx, wasport.Config{Network: web, Policy: p})
//	conn, err := client.Dial("tcp", "web:80")
//
// Sockets behave as those of Linux: states, errors, readiness, options and their ranges. The
// differences follow from there being no wire. What is sent has arrived at once, so no datagram is
// lost unless a queue is full, a closed connection leaves nothing behind (no TIME_WAIT), and a send
// buffer is never filled. DIFFERENCES.md lists those that a program can see.
//
// Nothing here starts a goroutine to move bytes: a Send copies them into the queue of the receiver,
// in memory that the size of its receive buffer bounds. Time comes from a Clock. Only a socket that
// reaches another Network through World.Gateway has goroutines, which wait for that Network.
//
// This package holds sockets, hosts, names and the types of package net over them. It knows nothing
// of guests and judges no address: network/guard, the layer above, does that.
//
// Every method may be called from several goroutines at once. Locks, each for its own fields:
//
//	World.mu           hosts, names, ports, memberships, queues of connections, and the addresses
//	                   and states of all sockets; held for reading while a datagram finds its way
//	tcpSocket.in.sendMu, in.recvMu   the two ends of a queue of bytes
//	udpSocket.queue.mu the datagrams of a socket
//	base.optionMu      the values of options
//	watch.mu           the waiting callers of a socket
//
// Lock order: World.mu comes first, then sendMu, recvMu, queue.mu or optionMu, then watch.mu. The
// wake functions of Readiness.Notify are called with watch.mu held. No lock is held while a call
// blocks.
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
	// MTU is the size of the largest IP packet between two hosts, in bytes, 576 to 65535; 0 = 65535.
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
// The name is not empty and has no upper limit of labels; its case and a final dot do not matter.
// "localhost" is each host's own.
func (w *World) Host(name string, addrs ...netip.Addr) (*Host, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := canonicalName(name)
	if key == "" || key == localhost {
		return nil, fmt.Errorf("host %q: a host needs a name, other than %s", name, localhost)
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

// Gateway lets what is not in the world go out to another network: connections, datagrams and
// names. The hosts keep their loopback addresses, and nothing from outside comes in but what
// answers. Nil closes the gateway for new sockets.
func (w *World) Gateway(n network.Network) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gateway = n
}

func canonicalName(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, "."))
}
