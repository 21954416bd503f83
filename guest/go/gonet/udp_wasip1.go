package gonet

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"unsafe"
)

// UDPConn is a UDP socket, connected or not. It has the methods of net.UDPConn but File and those
// for control messages.
type UDPConn struct{ *netFD }

var (
	_ net.Conn       = (*UDPConn)(nil)
	_ net.PacketConn = (*UDPConn)(nil)
)

// receive takes the next datagram. What does not fit into b is lost, and truncated says so.
func (c *UDPConn) receive(b []byte) (n int, from netip.AddrPort, truncated bool, err error) {
	var addr sockaddr
	var size, flags uint32
	err = c.waitRead(func(fd int32) uint32 {
		vector := iovecOf(b)
		return sockRecvMsg(fd, unsafe.Pointer(&vector), 1, 0, addr.pointer(), &size, &flags)
	})
	if err != nil {
		return 0, from, false, c.opError("read", err)
	}
	return int(size), unmapped(addr.addrPort()), flags&msgTruncated != 0, nil
}

// Read takes the next datagram, without its source.
func (c *UDPConn) Read(b []byte) (int, error) {
	n, _, _, err := c.receive(b)
	return n, err
}

// ReadFrom takes the next datagram and tells where it came from. A datagram longer than b is cut.
func (c *UDPConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// ReadFromUDP is ReadFrom with the address's type.
func (c *UDPConn) ReadFromUDP(b []byte) (int, *net.UDPAddr, error) {
	n, from, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// ReadFromUDPAddrPort is ReadFrom with an address that needs no memory of its own.
func (c *UDPConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, from, _, err := c.receive(b)
	return n, from, err
}

// send sends one datagram; an invalid address stands for the peer of a connected socket.
func (c *UDPConn) send(b []byte, to netip.AddrPort) (int, error) {
	var addr unsafe.Pointer
	if to.IsValid() {
		addr = sockaddrOf(c.native(to)).pointer()
	}
	var size uint32
	err := c.waitWrite(func(fd int32) uint32 {
		vector := iovecOf(b)
		return sockSendMsg(fd, unsafe.Pointer(&vector), 1, 0, addr, &size)
	})
	if err != nil {
		err = c.opError("write", os.NewSyscallError("sendto", err))
		if to.IsValid() {
			var op *net.OpError
			if errors.As(err, &op) {
				op.Addr = net.UDPAddrFromAddrPort(to)
			}
		}
	}
	return int(size), err
}

// native is the address as the socket's family has it: an IPv6 socket reaches IPv4 addresses as
// mapped ones.
func (c *UDPConn) native(a netip.AddrPort) netip.AddrPort {
	local, ok := addrPortOf(c.local)
	if ok && a.Addr().Is4() && c.network != "udp4" && local.Addr().Is6() {
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
	}
	return a
}

// Write sends one datagram to the peer of a connected socket.
func (c *UDPConn) Write(b []byte) (int, error) {
	if c.remote == nil {
		return 0, c.opError("write", syscall.EDESTADDRREQ)
	}
	return c.send(b, netip.AddrPort{})
}

// WriteTo sends one datagram to an address, which must be a *net.UDPAddr.
func (c *UDPConn) WriteTo(b []byte, to net.Addr) (int, error) {
	addr, ok := to.(*net.UDPAddr)
	if !ok || addr == nil {
		return 0, &net.OpError{Op: "write", Net: c.network, Source: c.local, Addr: to,
			Err: syscall.EINVAL}
	}
	return c.WriteToUDP(b, addr)
}

// WriteToUDP is WriteTo with the address's type.
func (c *UDPConn) WriteToUDP(b []byte, to *net.UDPAddr) (int, error) {
	return c.WriteToUDPAddrPort(b, to.AddrPort())
}

// WriteToUDPAddrPort sends one datagram to an address.
func (c *UDPConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	switch {
	case c.remote != nil:
		return 0, c.opError("write", net.ErrWriteToConnected)
	case !to.IsValid():
		return 0, c.opError("write", syscall.EDESTADDRREQ)
	}
	return c.send(b, unmapped(to))
}
