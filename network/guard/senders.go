package guard

import (
	"net/netip"
	"sync"
)

// knownSenders remembers the senders that the sockets of a guest have received from, and that they
// may therefore answer. Anybody outside can add a sender with each datagram, so it keeps the
// latest: at least senderGeneration of them, and at most twice as many.
type knownSenders struct {
	// mu protects both generations.
	mu         sync.Mutex
	young, old map[knownSender]struct{}
}

const senderGeneration = 8192

// knownSender is a sender, as one socket knows it.
type knownSender struct {
	socketID uint64
	from     netip.AddrPort
}

// knownSenderOf returns the sender without the spelling of its address: not IPv4-mapped, and
// without a zone.
func knownSenderOf(socketID uint64, from netip.AddrPort) knownSender {
	return knownSender{socketID, netip.AddrPortFrom(from.Addr().Unmap().WithZone(""), from.Port())}
}

func (k *knownSenders) add(sender knownSender) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.young[sender]; ok {
		return
	}
	if k.young == nil || len(k.young) == senderGeneration {
		k.young, k.old = k.old, k.young
		if k.young == nil {
			k.young = make(map[knownSender]struct{})
		}
		clear(k.young)
	}
	k.young[sender] = struct{}{}
}

func (k *knownSenders) has(sender knownSender) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, young := k.young[sender]
	_, old := k.old[sender]
	return young || old
}
