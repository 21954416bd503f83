//go:build unix

package guard_test

import "net/netip"

// isReleased reports whether a socket that was bound to an address may have the address got after
// Disconnect.
func isReleased(got, bound, _ netip.AddrPort) bool { return got == bound }
