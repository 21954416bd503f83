//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package kernel

import (
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

const (
	// sentByBSDs has the fields of RFC 3542, and the source of a datagram of IPv4.
	sentByBSDs = network.PacketInfo4 | network.PacketInfo6 | network.PacketHopLimit |
		network.PacketTrafficClass

	// The types of received messages.
	typeTTL  = unix.IP_RECVTTL
	typeTime = unix.SCM_TIMESTAMP
)
