package guard_test

import "net/netip"

// isReleased reports whether a socket that was bound to an address may have the address got after
// Disconnect. Microsoft's reference of connect promises no more than that the peer is released, so
// the socket may keep the host address that it had for the peer, which is the peer's on loopback.
func isReleased(got, bound, peer netip.AddrPort) bool {
	return got == bound || got == netip.AddrPortFrom(peer.Addr(), bound.Port())
}
