package gonet

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// Resolver looks names up through the host, which asks its resolver if the guest's policy lets it.
// The zero Resolver is ready for use. A lookup holds up all goroutines until the answer is there; a
// context that has ended already is its error.
type Resolver struct{}

// DefaultResolver is the one that Dial and Listen use.
var DefaultResolver = new(Resolver)

// LookupHost returns the addresses of a host.
func (r *Resolver) LookupHost(ctx context.Context, host string) ([]string, error) {
	addrs, err := r.LookupNetIP(ctx, "ip", host)
	list := make([]string, len(addrs))
	for i, a := range addrs {
		list[i] = a.String()
	}
	return list, err
}

// LookupIPAddr returns the addresses of a host.
func (r *Resolver) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	addrs, err := r.LookupNetIP(ctx, "ip", host)
	list := make([]net.IPAddr, len(addrs))
	for i, a := range addrs {
		list[i] = net.IPAddr{IP: a.AsSlice()}
	}
	return list, err
}

// LookupNetIP returns the addresses of a host for the network "ip", "ip4" or "ip6".
func (r *Resolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	family := int32(familyAny)
	switch {
	case strings.HasSuffix(network, "4"):
		family = familyIPv4
	case strings.HasSuffix(network, "6"):
		family = familyIPv6
	}
	found, err := lookup(ctx, host, "", family, typeStream)
	list := make([]netip.Addr, len(found))
	for i, a := range found {
		list[i] = a.Addr()
	}
	return list, err
}

// LookupPort returns the port of a service, by its number or its name.
func (r *Resolver) LookupPort(ctx context.Context, network, service string) (int, error) {
	if n, err := strconv.ParseUint(service, 10, 16); err == nil {
		return int(n), nil
	}
	if service == "" {
		return 0, nil
	}
	found, err := lookup(ctx, "127.0.0.1", service, familyIPv4, typeOf(network))
	if err != nil || len(found) == 0 {
		return 0, &net.DNSError{Err: "unknown port", Name: network + "/" + service,
			IsNotFound: true}
	}
	return int(found[0].Port()), nil
}

// typeOf is the type of a network's sockets.
func typeOf(network string) int32 {
	if isUDP(network) {
		return typeDatagram
	}
	return typeStream
}

func isUDP(network string) bool { return strings.HasPrefix(network, "udp") }

// sizeResult is that of an entry of sock_addr_resolve: an address and a type.
const (
	sizeResult = 28
	maxResults = 64
)

func lookup(ctx context.Context, host, service string, family, typ int32) ([]netip.AddrPort,
	error) {
	if err := ctx.Err(); err != nil {
		return nil, lookupError(host, err)
	}
	var hints [12]byte
	binary.LittleEndian.PutUint32(hints[0:], uint32(typ))
	binary.LittleEndian.PutUint32(hints[4:], uint32(family))
	hints[8] = 1
	name, port := append([]byte(host), 0), append([]byte(service), 0)
	results := make([]byte, maxResults*sizeResult)
	var count uint32
	e := sockAddrResolve(unsafe.Pointer(&name[0]), unsafe.Pointer(&port[0]), unsafe.Pointer(&hints),
		unsafe.Pointer(&results[0]), maxResults, &count)
	if e != 0 {
		return nil, lookupError(host, syscall.Errno(e))
	}
	list := make([]netip.AddrPort, min(count, maxResults))
	for i := range list {
		list[i] = (*sockaddr)(results[i*sizeResult:]).addrPort()
	}
	return list, nil
}

// lookupError tells the reasons of the host apart. Source: docs/abi.md, sock_addr_resolve.
func lookupError(host string, err error) error {
	e := &net.DNSError{Err: err.Error(), Name: host, UnwrapErr: err}
	switch err {
	case syscall.EINVAL:
		e.Err, e.IsNotFound = "no such host", true
	case syscall.EAGAIN:
		e.Err, e.IsTimeout, e.IsTemporary = "no server answered", true, true
	case syscall.EIO:
		e.Err, e.IsTemporary = "server misbehaving", true
	case context.DeadlineExceeded:
		e.IsTimeout = true
	}
	return e
}

// resolveAddrs splits an address of host and port, and looks both up. An empty host gives the zero
// Addr.
func resolveAddrs(ctx context.Context, network, address string) ([]netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := DefaultResolver.LookupPort(ctx, network, service)
	if err != nil {
		return nil, err
	}
	if host == "" {
		return []netip.AddrPort{netip.AddrPortFrom(netip.Addr{}, uint16(port))}, nil
	}
	addrs := []netip.Addr{}
	if literal, err := netip.ParseAddr(host); err == nil {
		addrs = append(addrs, literal.Unmap().WithZone(""))
	} else if addrs, err = DefaultResolver.LookupNetIP(ctx, network, host); err != nil {
		return nil, err
	}
	var list []netip.AddrPort
	for _, a := range addrs {
		if fitsNetwork(network, a) {
			list = append(list, netip.AddrPortFrom(a, uint16(port)))
		}
	}
	if len(list) == 0 {
		return nil, &net.AddrError{Err: "no suitable address found", Addr: host}
	}
	return list, nil
}

func fitsNetwork(network string, a netip.Addr) bool {
	switch {
	case strings.HasSuffix(network, "4"):
		return a.Is4()
	case strings.HasSuffix(network, "6"):
		return a.Is6()
	}
	return true
}
