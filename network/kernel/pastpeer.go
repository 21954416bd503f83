package kernel

import (
	"net/netip"
	"sync"
)

// peerChanger makes the calls of sendPastPeer on one datagram socket.
type peerChanger struct {
	peer    func() (netip.AddrPort, error)
	connect func(netip.AddrPort) error
	// send sends to the peer.
	send func() (int, error)
}

// pastPeerMu is held while a socket has another peer. The case is rare, so that all sockets share
// it.
var pastPeerMu sync.Mutex

// sendPastPeer sends a datagram to an address beside the peer of a connected socket, as sendto(2)
// of Linux does. The BSDs have EISCONN for that (udp(4) of FreeBSD), so the socket is connected to
// the address and back, as their kernels do for the address of an unconnected socket. Datagrams of
// its peer that arrive meanwhile are lost.
func sendPastPeer(to netip.AddrPort, s peerChanger) (int, error) {
	pastPeerMu.Lock()
	defer pastPeerMu.Unlock()
	peer, err := s.peer()
	if err != nil {
		return 0, err
	}
	if peer == to {
		return s.send()
	}
	var n int
	if err = s.connect(to); err == nil {
		n, err = s.send()
	}
	// A connect(2) that fails takes the peer away, too (POSIX, connect).
	if back := s.connect(peer); err == nil {
		err = back
	}
	return n, err
}
