package main

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/policy"
)

// open opens the sockets of --listen, and allows the guest to listen there.
func (f *runFlags) open() (sockets []syscall.Conn, err error) {
	for _, a := range f.listen {
		var at net.Addr
		switch a.network {
		case "tcp":
			var l net.Listener
			if l, err = net.Listen("tcp", a.host); err == nil {
				sockets, at = append(sockets, l.(*net.TCPListener)), l.Addr()
			}
		case "udp":
			var c net.PacketConn
			if c, err = net.ListenPacket("udp", a.host); err == nil {
				sockets, at = append(sockets, c.(*net.UDPConn)), c.LocalAddr()
			}
		}
		if err != nil {
			return sockets, fmt.Errorf("--listen %s://%s: %w", a.network, a.host, err)
		}
		bound, err := netip.ParseAddrPort(at.String())
		if err != nil {
			return sockets, err
		}
		bound = netip.AddrPortFrom(bound.Addr().WithZone(""), bound.Port()) // rules have no zones
		rules, err := policy.ParseTargets(policy.Allow, policy.Listen, a.network+"://"+bound.String(), policy.Origin{Source: "--listen"})
		if err != nil {
			return sockets, err
		}
		f.permissions.rules = append(f.permissions.rules, rules...)
	}
	return sockets, nil
}
