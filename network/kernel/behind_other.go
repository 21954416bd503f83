//go:build !linux || portable

package kernel

import (
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

// sendRoom returns 0: the room in the send queue is not known, so nothing is held.
func sendRoom(descriptor, network.Type) int { return 0 }

func hasSegments(descriptor) bool { return false }

func unsentLimited(descriptor) bool { return false }

func sysSendSegments(descriptor, []byte, netip.AddrPort, int) error { return syscall.EOPNOTSUPP }
