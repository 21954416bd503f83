package main

import (
	"fmt"
	"net"
	"syscall"
)

// open opens the sockets of --listen.
func (f *runFlags) open() (sockets []syscall.Conn, err error) {
	for _, a := range f.listen {
		switch a.network {
		case "tcp":
			var l net.Listener
			if l, err = net.Listen("tcp", a.host); err == nil {
				sockets = append(sockets, l.(*net.TCPListener))
			}
		case "udp":
			var c net.PacketConn
			if c, err = net.ListenPacket("udp", a.host); err == nil {
				sockets = append(sockets, c.(*net.UDPConn))
			}
		}
		if err != nil {
			return sockets, fmt.Errorf("--listen %s://%s: %w", a.network, a.host, err)
		}
	}
	return sockets, nil
}
