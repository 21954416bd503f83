package main

import (
	"fmt"
	"net"
	"syscall"
)

// openListeners opens the sockets of --listen.
func openListeners(addrs []listenAddr) (sockets []syscall.Conn, err error) {
	for _, a := range addrs {
		s, err := a.open()
		if err != nil {
			return sockets, fmt.Errorf("--listen %s://%s: %w", a.network, a.host, plainError(err))
		}
		sockets = append(sockets, s)
	}
	return sockets, nil
}

// open opens a socket of the address's own family. Package net opens 0.0.0.0 as a dual-stack socket
// (net.Listen), which would also listen where no rule for 0.0.0.0 applies. With the family named,
// a socket at :: has IPV6_V6ONLY set (ipv6(7)).
func (a listenAddr) open() (syscall.Conn, error) {
	addr, err := net.ResolveTCPAddr("tcp", a.host)
	if err != nil {
		return nil, err
	}
	family := "6"
	if addr.IP.To4() != nil {
		family = "4"
	}
	if a.network == "udp" {
		udpAddr := &net.UDPAddr{IP: addr.IP, Port: addr.Port, Zone: addr.Zone}
		return connOrNil(net.ListenUDP("udp"+family, udpAddr))
	}
	return connOrNil(net.ListenTCP("tcp"+family, addr))
}

// connOrNil keeps a nil pointer from becoming an interface that is not nil.
func connOrNil[C syscall.Conn](c C, err error) (syscall.Conn, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}
