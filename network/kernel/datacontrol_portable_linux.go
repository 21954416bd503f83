//go:build portable

package kernel

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

func sysSendControl(fd int, bufs [][]byte, to netip.AddrPort, c *network.Control) (int, error) {
	var sa unix.Sockaddr
	if to.IsValid() {
		var err error
		if sa, err = sockaddr(to); err != nil {
			return 0, err
		}
	}
	bufs, err := capBufs(bufs, network.Datagram, maxBufs)
	if err != nil {
		return 0, err
	}
	var control controlBuf
	b := control.bytes()
	return sendmsg(fd, bufs, b[:putControl(b, c)], sa)
}

func sysRecvControl(fd int, bufs [][]byte, flags network.RecvFlags,
	c *network.Control) (network.Received, error) {
	var control controlBuf
	b := control.bytes()
	r, n, err := recvmsg(fd, bufs, b, flags, network.Datagram)
	if err == nil {
		getControl(b[:n], c)
	}
	return r, err
}
