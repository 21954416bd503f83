package main

import (
	"fmt"
	"net"
	"syscall"
)

// open opens the sockets of --listen.
func (f *runFlags) open() (sockets []syscall.Conn, err error) {
	for _, a := range f.listen {
		s, err := a.open()
		if err != nil {
			return sockets, fmt.Errorf("--listen %s://%s: %w", a.network, a.host, plain(err))
		}
		sockets = append(sockets, s)
	}
	return sockets, nil
}

// open opens a socket of the address's own family. Package net would open 0.0.0.0 for both
// families, and so where no rule for 0.0.0.0 holds; with the family named, :: is for IPv6 alone as
// well.
func (a address) open() (syscall.Conn, error) {
	at, err := net.ResolveTCPAddr("tcp", a.host)
	if err != nil {
		return nil, err
	}
	family := "6"
	if at.IP.To4() != nil {
		family = "4"
	}
	if a.network == "udp" {
		at := &net.UDPAddr{IP: at.IP, Port: at.Port, Zone: at.Zone}
		return conn(net.ListenUDP("udp"+family, at))
	}
	return conn(net.ListenTCP("tcp"+family, at))
}

// conn is what was opened, or nothing at all.
func conn[C syscall.Conn](c C, err error) (syscall.Conn, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}
