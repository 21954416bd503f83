package wasi

import (
	"encoding/binary"
	"net/netip"
)

// Sizes in bytes of the structures of WasmEdge's socket functions. Source: WasmEdge's
// include/host/wasi, with static assertions on the sizes.
const (
	// SizeEdgeAddr is the size of an address argument, which describes a buffer: u32 pointer, u32
	// length.
	SizeEdgeAddr = 8

	// SizeEdgeStorage is the size of a buffer that includes the family. The first EdgeStorageUsed
	// bytes of it are used.
	SizeEdgeStorage = 128
	EdgeStorageUsed = 18

	SizeEdgeAddrInfo = 28
	SizeEdgeSockaddr = 12
)

// Enumerations of WasmEdge. They differ from WAMR's.
const (
	EdgeFamilyUnspec = 0
	EdgeFamilyInet4  = 1
	EdgeFamilyInet6  = 2
	EdgeFamilyUnix   = 3

	EdgeTypeAny    = 0
	EdgeTypeDgram  = 1
	EdgeTypeStream = 2

	EdgeProtocolAny = 0
	EdgeProtocolTCP = 1
	EdgeProtocolUDP = 2
)

// EdgeAddr is an address argument: the place of a buffer with an address.
type EdgeAddr struct{ Ptr, Len uint32 }

// GetEdgeAddr reads an address argument from b, which has SizeEdgeAddr bytes.
func GetEdgeAddr(b []byte) EdgeAddr {
	return EdgeAddr{binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])}
}

// GetEdgeIP reads the address in a buffer. The length tells the kind: 4 bytes are an IPv4 and 16
// bytes an IPv6 address, in network byte order; 128 bytes begin with the family, a u16. Another
// length or family is EINVAL, AF_UNIX is ENOTSUP.
func GetEdgeIP(b []byte) (netip.Addr, Errno) {
	switch len(b) {
	case 4:
		return netip.AddrFrom4([4]byte(b)), Success
	case 16:
		return netip.AddrFrom16([16]byte(b)), Success
	case SizeEdgeStorage:
		switch binary.LittleEndian.Uint16(b) {
		case EdgeFamilyInet4:
			return netip.AddrFrom4([4]byte(b[2:6])), Success
		case EdgeFamilyInet6:
			return netip.AddrFrom16([16]byte(b[2:18])), Success
		case EdgeFamilyUnix:
			return netip.Addr{}, ENOTSUP
		}
	}
	return netip.Addr{}, EINVAL
}

// PutEdgeIP writes an address into a buffer of one of the lengths that GetEdgeIP reads, and leaves
// the bytes after it alone. Another length, and an IPv6 address in 4 bytes, is EINVAL.
func PutEdgeIP(b []byte, a netip.Addr) Errno {
	raw := a.AsSlice()
	switch {
	case len(b) == SizeEdgeStorage:
		binary.LittleEndian.PutUint16(b, EdgeFamily(a))
		copy(b[2:], raw)
	case len(b) == 4 && a.Is4(), len(b) == 16:
		copy(b, raw)
	default:
		return EINVAL
	}
	return Success
}

// EdgeFamily returns the number of an address's family.
func EdgeFamily(a netip.Addr) uint16 {
	if a.Is4() {
		return EdgeFamilyInet4
	}
	return EdgeFamilyInet6
}

// EdgeAddrInfo has the fields of an entry in sock_getaddrinfo's list that the guest sets.
type EdgeAddrInfo struct {
	Flags    uint16
	Family   uint8
	Type     uint8
	Protocol uint8
	Sockaddr uint32 // pointer to a sockaddr
	Next     uint32 // pointer to the next entry
}

// GetEdgeAddrInfo reads an entry from b, which has SizeEdgeAddrInfo bytes.
func GetEdgeAddrInfo(b []byte) EdgeAddrInfo {
	return EdgeAddrInfo{
		Flags: binary.LittleEndian.Uint16(b), Family: b[2], Type: b[3], Protocol: b[4],
		Sockaddr: binary.LittleEndian.Uint32(b[12:]),
		Next:     binary.LittleEndian.Uint32(b[24:]),
	}
}

// PutResult writes a result into an entry b. It keeps the pointers, which belong to the guest.
func (i EdgeAddrInfo) PutResult(b []byte) {
	const addrLen = 16 // WasmEdge's sizeof(struct sockaddr)
	b[2], b[3], b[4] = i.Family, i.Type, i.Protocol
	binary.LittleEndian.PutUint32(b[8:], addrLen)
	binary.LittleEndian.PutUint32(b[20:], 0) // no canonical name
}
