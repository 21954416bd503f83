package gonet

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// ListenConfig listens. Its fields mean what those of net.ListenConfig mean.
type ListenConfig struct {
	KeepAlive       time.Duration
	KeepAliveConfig net.KeepAliveConfig
}

// backlog is how many connections wait to be accepted. The host has a limit of its own.
const backlog = 4096

// Listen listens on an address of the network "tcp", "tcp4" or "tcp6". Without a host it listens on
// all addresses: with "tcp" on those of both families, by one socket, which the policy has to allow
// as [::] and as 0.0.0.0.
func Listen(network, address string) (net.Listener, error) {
	return new(ListenConfig).Listen(context.Background(), network, address)
}

// ListenPacket is Listen for the networks "udp", "udp4" and "udp6". The result is a *UDPConn.
func ListenPacket(network, address string) (net.PacketConn, error) {
	return new(ListenConfig).ListenPacket(context.Background(), network, address)
}

// Listen listens on an address. The result is a *TCPListener.
func (c *ListenConfig) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	if isUDP(network) || !known(network) {
		return nil, &net.OpError{Op: "listen", Net: network, Err: net.UnknownNetworkError(network)}
	}
	f, err := listenFD(ctx, network, address)
	if err == nil {
		if e := sockListen(f.fd, backlog); e != 0 {
			f.file.Close()
			err = os.NewSyscallError("listen", syscall.Errno(e))
		}
	}
	if err != nil {
		return nil, listenError(network, address, err)
	}
	f.setAddrs()
	return &TCPListener{fd: f, keepAlive: c.KeepAlive, config: c.KeepAliveConfig}, nil
}

// ListenPacket makes a UDP socket at an address. The result is a *UDPConn.
func (c *ListenConfig) ListenPacket(ctx context.Context, network, address string) (net.PacketConn,
	error) {
	if !isUDP(network) || !known(network) {
		return nil, &net.OpError{Op: "listen", Net: network, Err: net.UnknownNetworkError(network)}
	}
	f, err := listenFD(ctx, network, address)
	if err != nil {
		return nil, listenError(network, address, err)
	}
	f.setAddrs()
	return &UDPConn{f}, nil
}

func listenError(network, address string, err error) error {
	var addr net.Addr
	if a, e := netip.ParseAddrPort(address); e == nil {
		addr = netAddr(network, a)
	}
	return &net.OpError{Op: "listen", Net: network, Addr: addr, Err: err}
}

// listenFD makes a socket that is bound to an address.
func listenFD(ctx context.Context, network, address string) (*netFD, error) {
	if address == "" {
		address = ":0"
	}
	addrs, err := resolveAddrs(ctx, network, address)
	if err != nil {
		return nil, err
	}
	a := addrs[0] // as in package net, IPv4 before IPv6 where a name has both
	for _, other := range addrs {
		if other.Addr().Is4() {
			a = other
			break
		}
	}
	if a.Addr().IsValid() {
		return bindFD(network, a, a.Addr().Is6())
	}
	v4 := netip.AddrPortFrom(netip.IPv4Unspecified(), a.Port())
	v6 := netip.AddrPortFrom(netip.IPv6Unspecified(), a.Port())
	switch network[len(network)-1] {
	case '4':
		return bindFD(network, v4, false)
	case '6':
		return bindFD(network, v6, true)
	}
	f, err := bindFD(network, v6, false)
	if e := underlying(err); e == syscall.EAFNOSUPPORT || e == syscall.EADDRNOTAVAIL {
		return bindFD(network, v4, false) // a host without IPv6
	}
	return f, err
}

// underlying is the errno in an error of a system call.
func underlying(err error) error {
	if s, ok := err.(*os.SyscallError); ok {
		return s.Err
	}
	return err
}

func bindFD(network string, a netip.AddrPort, only6 bool) (*netFD, error) {
	f, err := openFD(network, familyOf(a.Addr()), typeOf(network))
	if err != nil {
		return nil, err
	}
	if isUDP(network) {
		sockSetBroadcast(f.fd, 1)
	} else {
		sockSetReuseAddr(f.fd, 1)
	}
	if a.Addr().Is6() {
		if e := sockSetIPv6Only(f.fd, number(only6)); e != 0 {
			f.file.Close()
			return nil, os.NewSyscallError("setsockopt", syscall.Errno(e))
		}
	}
	if err := f.bind(a); err != nil {
		f.file.Close()
		return nil, err
	}
	return f, nil
}

// ListenMulticastUDP makes a socket that receives what is sent to a multicast group, on one
// interface or, if that is nil, on one of the host's choice. Several programs can listen to one
// group.
func ListenMulticastUDP(network string, ifi *net.Interface, group *net.UDPAddr) (*UDPConn, error) {
	if !isUDP(network) || !known(network) {
		return nil, &net.OpError{Op: "listen", Net: network, Err: net.UnknownNetworkError(network)}
	}
	if group == nil || group.IP == nil {
		return nil, &net.OpError{Op: "listen", Net: network,
			Err: &net.AddrError{Err: "missing address"}}
	}
	to := unmapped(group.AddrPort())
	f, err := openFD(network, familyOf(to.Addr()), typeDatagram)
	if err == nil {
		sockSetReuseAddr(f.fd, 1)
		err = f.bind(withFamily(netip.AddrPortFrom(netip.Addr{}, to.Port()), to.Addr()))
		if err == nil {
			err = f.join(to.Addr(), ifi)
		}
		if err != nil {
			f.file.Close()
		}
	}
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: group, Err: err}
	}
	sockSetMulticastLoop(f.fd, number(to.Addr().Is6()), 0) // as package net does
	f.setAddrs()
	return &UDPConn{f}, nil
}

// join joins a group. IPv4 names an interface by an address of it, IPv6 by its index.
func (f *netFD) join(group netip.Addr, ifi *net.Interface) error {
	on := uint32(0)
	if ifi != nil {
		on = uint32(ifi.Index)
		if group.Is4() {
			addr, ok := interfaceAddr(ifi.Index)
			if !ok {
				return syscall.ENODEV
			}
			raw := addr.As4()
			on = binary.LittleEndian.Uint32(raw[:])
		}
	}
	e := sockJoin(f.fd, sockaddrOf(netip.AddrPortFrom(group, 0)).pointer(), on)
	if e != 0 {
		return os.NewSyscallError("setsockopt", syscall.Errno(e))
	}
	return nil
}

// sizeInterface is that of an entry of sock_interfaces: an address, a prefix, an index, a name.
const (
	sizeInterface = 56
	maxInterfaces = 64
)

// interfaceAddr is an IPv4 address of an interface that the guest may know of.
func interfaceAddr(index int) (netip.Addr, bool) {
	list := make([]byte, maxInterfaces*sizeInterface)
	var count uint32
	if sockInterfaces(unsafe.Pointer(&list[0]), maxInterfaces, &count) != 0 {
		return netip.Addr{}, false
	}
	for i := range min(count, maxInterfaces) {
		entry := list[i*sizeInterface:]
		a := (*sockaddr)(entry).addrPort().Addr()
		if a.Is4() && int(binary.LittleEndian.Uint32(entry[28:])) == index {
			return a, true
		}
	}
	return netip.Addr{}, false
}
