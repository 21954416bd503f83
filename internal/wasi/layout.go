package wasi

import (
	"encoding/binary"
	"net/netip"
)

// Sizes in bytes of the structures of preview 1 (wasi_snapshot_preview1.witx).
const (
	SizeFdstat       = 24
	SizeFilestat     = 64
	SizePrestat      = 8
	SizeDirent       = 24 // without the name, which follows
	SizeSubscription = 48
	SizeEvent        = 32
)

// Sizes in bytes of the structures of WAMR's socket functions (wasi_socket_ext.h).
const (
	SizeAddr      = 24
	SizeAddrIP    = 20
	SizeAddrInfo  = 28
	SizeAddrHints = 12
)

// GetEvent reads an event from b, which has SizeEvent bytes.
func GetEvent(b []byte) Event {
	return Event{
		Userdata: binary.LittleEndian.Uint64(b), Error: Errno(binary.LittleEndian.Uint16(b[8:])),
		Type:   b[10],
		Nbytes: binary.LittleEndian.Uint64(b[16:]), Flags: binary.LittleEndian.Uint16(b[24:]),
	}
}

// Fdstat is the result of fd_fdstat_get.
type Fdstat struct {
	Type       Filetype
	Flags      Fdflags
	Base       Rights
	Inheriting Rights
}

// Put writes f into b, which has SizeFdstat bytes.
func (f Fdstat) Put(b []byte) {
	clear(b[:SizeFdstat])
	b[0] = f.Type.number()
	binary.LittleEndian.PutUint16(b[2:], uint16(f.Flags))
	binary.LittleEndian.PutUint64(b[8:], uint64(f.Base))
	binary.LittleEndian.PutUint64(b[16:], uint64(f.Inheriting))
}

// Filestat is the result of fd_filestat_get and path_filestat_get. Times are in nanoseconds since
// 1970.
type Filestat struct {
	Dev, Ino         uint64
	Type             Filetype
	Nlink, Size      uint64
	Atim, Mtim, Ctim uint64
}

// Put writes f into b, which has SizeFilestat bytes.
func (f Filestat) Put(b []byte) {
	for i, v := range [...]uint64{f.Dev, f.Ino, uint64(f.Type.number()), f.Nlink, f.Size, f.Atim,
		f.Mtim, f.Ctim} {
		binary.LittleEndian.PutUint64(b[8*i:], v)
	}
}

// PutDirent writes the head of a directory entry into b, which has SizeDirent bytes.
func PutDirent(b []byte, next, ino uint64, namelen int, typ Filetype) {
	binary.LittleEndian.PutUint64(b[0:], next)
	binary.LittleEndian.PutUint64(b[8:], ino)
	binary.LittleEndian.PutUint32(b[16:], uint32(namelen))
	binary.LittleEndian.PutUint32(b[20:], uint32(typ.number()))
}

// Subscription is a condition that poll_oneoff waits for.
type Subscription struct {
	Userdata uint64
	Type     uint8

	// Clock is only for EventClock.
	Clock uint32

	// Timeout is only for EventClock, in nanoseconds.
	Timeout uint64

	// Flags is only for EventClock.
	Flags uint16

	// FD is for all types but EventClock.
	FD int32
}

// GetSubscription reads a subscription from b, which has SizeSubscription bytes.
func GetSubscription(b []byte) Subscription {
	return Subscription{
		Userdata: binary.LittleEndian.Uint64(b),
		Type:     b[8],
		Clock:    binary.LittleEndian.Uint32(b[16:]),
		FD:       int32(binary.LittleEndian.Uint32(b[16:])),
		Timeout:  binary.LittleEndian.Uint64(b[24:]),
		Flags:    binary.LittleEndian.Uint16(b[40:]),
	}
}

// Event is a result of poll_oneoff.
type Event struct {
	Userdata uint64
	Error    Errno
	Type     uint8
	Nbytes   uint64
	Flags    uint16
}

// Put writes e into b, which has SizeEvent bytes.
func (e Event) Put(b []byte) {
	clear(b[:SizeEvent])
	binary.LittleEndian.PutUint64(b, e.Userdata)
	binary.LittleEndian.PutUint16(b[8:], uint16(e.Error))
	b[10] = e.Type
	binary.LittleEndian.PutUint64(b[16:], e.Nbytes)
	binary.LittleEndian.PutUint16(b[24:], e.Flags)
}

// GetAddr reads a wasi_addr_t from b, which has SizeAddr bytes: the bytes of an IPv4 address, or
// eight little-endian groups of an IPv6 address, then the port, little-endian. Another kind of
// address is EPROTONOSUPPORT.
func GetAddr(b []byte) (netip.AddrPort, Errno) {
	ip, e := GetAddrIP(b)
	if e != Success {
		return netip.AddrPort{}, e
	}
	at := 8
	if ip.Is6() {
		at = 20
	}
	return netip.AddrPortFrom(ip, binary.LittleEndian.Uint16(b[at:])), Success
}

// GetAddrIP reads a wasi_addr_ip_t from b, which has SizeAddrIP bytes.
func GetAddrIP(b []byte) (netip.Addr, Errno) {
	switch binary.LittleEndian.Uint32(b) {
	case AddrKindIPv4:
		return netip.AddrFrom4([4]byte(b[4:8])), Success
	case AddrKindIPv6:
		return netip.AddrFrom16(swapGroups([16]byte(b[4:20]))), Success
	}
	return netip.Addr{}, EPROTONOSUPPORT
}

// PutAddr writes a wasi_addr_t into b, which has SizeAddr bytes, and sets all of them. The
// structure has no scope ID, so a zone is lost.
func PutAddr(b []byte, a netip.AddrPort) {
	clear(b[:SizeAddr])
	ip := a.Addr()
	if ip.Is4() {
		ip4 := ip.As4()
		copy(b[4:8], ip4[:])
		binary.LittleEndian.PutUint16(b[8:], a.Port())
		return
	}
	b[0] = AddrKindIPv6
	groups := swapGroups(ip.As16())
	copy(b[4:20], groups[:])
	binary.LittleEndian.PutUint16(b[20:], a.Port())
}

func swapGroups(a [16]byte) [16]byte {
	for i := 0; i < len(a); i += 2 {
		a[i], a[i+1] = a[i+1], a[i]
	}
	return a
}

// PutAddrInfo writes a wasi_addr_info_t into b, which has SizeAddrInfo bytes.
func PutAddrInfo(b []byte, a netip.AddrPort, socketType int32) {
	PutAddr(b, a)
	binary.LittleEndian.PutUint32(b[SizeAddr:], uint32(socketType))
}

// AddrHints are the hints of sock_addr_resolve.
type AddrHints struct {
	Type, Family int32
	Enabled      bool
}

// GetAddrHints reads a wasi_addr_info_hints_t from b, which has SizeAddrHints bytes. The padding
// after the one byte of hints_enabled holds garbage in ordinary guests.
func GetAddrHints(b []byte) AddrHints {
	return AddrHints{
		Type:    int32(binary.LittleEndian.Uint32(b)),
		Family:  int32(binary.LittleEndian.Uint32(b[4:])),
		Enabled: b[8] != 0,
	}
}
