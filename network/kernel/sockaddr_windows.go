package kernel

import (
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// The sizes of struct sockaddr_in and sockaddr_in6.
const (
	sizeofInet4 = uint32(unsafe.Sizeof(windows.RawSockaddrInet4{}))
	sizeofInet6 = uint32(unsafe.Sizeof(windows.RawSockaddrInet6{}))
)

// sockaddr is a struct sockaddr of the kernel, as large as the larger of the two families. It lives
// on the stack during a system call.
type sockaddr struct {
	raw windows.RawSockaddrInet6
	len uint32
}

func (s *sockaddr) set(a netip.AddrPort) error {
	if addr := a.Addr(); addr.Is4() {
		in4 := s.inet4()
		in4.Family = windows.AF_INET
		in4.Port = ntohs(a.Port())
		in4.Addr = addr.As4()
		s.len = sizeofInet4
	} else {
		index, err := zoneIndex(addr.Zone())
		if err != nil {
			return err
		}
		s.raw = windows.RawSockaddrInet6{Family: windows.AF_INET6, Port: ntohs(a.Port()),
			Addr: addr.As16(), Scope_id: index}
		s.len = sizeofInet6
	}
	return nil
}

// get returns the invalid address if the kernel has filled none in.
func (s *sockaddr) get() netip.AddrPort {
	switch {
	case s.len >= sizeofInet4 && s.raw.Family == windows.AF_INET:
		in4 := s.inet4()
		return address4(in4.Addr, ntohs(in4.Port))
	case s.len >= sizeofInet6 && s.raw.Family == windows.AF_INET6:
		return address6(s.raw.Addr, ntohs(s.raw.Port), s.raw.Scope_id)
	}
	return netip.AddrPort{}
}

func (s *sockaddr) any() *syscall.RawSockaddrAny {
	return (*syscall.RawSockaddrAny)(unsafe.Pointer(&s.raw))
}

func (s *sockaddr) inet4() *windows.RawSockaddrInet4 {
	return (*windows.RawSockaddrInet4)(unsafe.Pointer(&s.raw))
}

// ntohs converts a port from network to host byte order, or back, see htons of winsock2.h.
func ntohs(port uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(&port))
	return uint16(b[0])<<8 | uint16(b[1])
}
