//go:build darwin || dragonfly || freebsd || netbsd || openbsd || portable

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
	sent := *c
	if !sendsInterface4 && c.Fields&network.PacketInfo4 != 0 {
		// A socket that is bound to one address takes no source, not even that one (ip(4) of
		// FreeBSD, IP_SENDSRCADDR).
		if at, err := sysGetsockname(fd); err == nil && at.Addr() == c.Source {
			sent.Fields &^= network.PacketInfo4
		}
	}
	var control controlBuf
	b := control.bytes()
	return sendmsg(fd, bufs, b[:putControl(b, &sent)], sa)
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
