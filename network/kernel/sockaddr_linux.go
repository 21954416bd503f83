//go:build !portable

package kernel

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sockaddr is a struct sockaddr of the kernel, as large as the larger of the two families. It lives
// on the stack during a system call.
type sockaddr struct {
	raw unix.RawSockaddrInet6
	len uint32
}

func (s *sockaddr) set(a netip.AddrPort) error {
	if addr := a.Addr(); addr.Is4() {
		in4 := s.inet4()
		in4.Family = unix.AF_INET
		in4.Port = ntohs(a.Port())
		in4.Addr = addr.As4()
		s.len = unix.SizeofSockaddrInet4
	} else {
		index, err := zoneIndex(addr.Zone())
		if err != nil {
			return err
		}
		s.raw = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: ntohs(a.Port()),
			Addr: addr.As16(), Scope_id: index}
		s.len = unix.SizeofSockaddrInet6
	}
	return nil
}

// get returns the invalid address if the kernel has filled none in.
func (s *sockaddr) get() netip.AddrPort {
	switch {
	case s.len >= unix.SizeofSockaddrInet4 && s.raw.Family == unix.AF_INET:
		in4 := s.inet4()
		return address4(in4.Addr, ntohs(in4.Port))
	case s.len >= unix.SizeofSockaddrInet6 && s.raw.Family == unix.AF_INET6:
		return address6(s.raw.Addr, ntohs(s.raw.Port), s.raw.Scope_id)
	}
	return netip.AddrPort{}
}

func (s *sockaddr) inet4() *unix.RawSockaddrInet4 {
	return (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.raw))
}

// ntohs converts a port from network to host byte order, or back, see byteorder(3).
func ntohs(port uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(&port))
	return uint16(b[0])<<8 | uint16(b[1])
}
