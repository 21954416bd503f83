//go:build !linux

package kernel

import (
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

// sysSendControl and sysRecvControl are for systems with a table options that lacks the options of
// control data: no socket has any.

func sysSendControl(_ descriptor, _ [][]byte, _ netip.AddrPort, _ *network.Control) (int, error) {
	return 0, syscall.EOPNOTSUPP
}

func sysRecvControl(fd descriptor, bufs [][]byte, flags network.RecvFlags,
	_ *network.Control) (network.Received, error) {
	return sysRecvFrom(fd, bufs, flags)
}
