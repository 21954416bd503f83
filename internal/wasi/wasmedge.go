package wasi

import (
	"encoding/binary"
	"net/netip"
)

// Sizes in bytes of the structures of WasmEdge's socket functions. Source: WasmEdge's
// include/host/wasi and the asserts on its structures.
const (
	// SizeEdgeAddr is that of an address argument, which describes a buffer: u32 pointer, u32
	// length.
	SizeEdgeAddr = 8

	// SizeEdgeStorage is that of a buffer that carries its family. EdgeStorageUsed bytes of it mean
	// something.
	SizeEdgeStorage = 128
	EdgeStorageUsed = 18

	SizeEdgeAddrInfo = 28
	SizeEdgeSockaddr = 12
)

// Numbers of WasmEdge's enumerations, which differ from WAMR's.
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

// EdgeAddr is the value of an address argument: where a buffer with an address lies.
type EdgeAddr struct{ Ptr, Len uint32 }

// GetEdgeAddr reads an address argument from b, of SizeEdgeAddr bytes.
func GetEdgeAddr(b []byte) EdgeAddr {
	return EdgeAddr{binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])}
}

// GetEdgeIP reads the address in a buffer. The length decides what it holds: 4 and 16 bytes are an
// IPv4 and an IPv6 address, most significant byte first; 128 begin with the family, a u16. Any
// other length, or another family, is EINVAL; AF_UNIX is ENOTSUP.
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

// PutEdgeIP writes an address into a buffer of one of the lengths that GetEdgeIP reads. Bytes
// behind the address stay as they are. An IPv6 address in 4 bytes is EINVAL, as any other length
// is.
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

// EdgeFamily is the number of an address's family.
func EdgeFamily(a netip.Addr) uint16 {
	if a.Is4() {
		return EdgeFamilyInet4
	}
	return EdgeFamilyInet6
}

// EdgeAddrInfo is the head of an entry in the list that sock_getaddrinfo fills: the fields that the
// guest sets.
type EdgeAddrInfo struct {
	Flags    uint16
	Family   uint8
	Type     uint8
	Protocol uint8
	Sockaddr uint32 // pointer
	Next     uint32 // pointer
}

// GetEdgeAddrInfo reads an entry from b, of SizeEdgeAddrInfo bytes.
func GetEdgeAddrInfo(b []byte) EdgeAddrInfo {
	return EdgeAddrInfo{
		Flags: binary.LittleEndian.Uint16(b), Family: b[2], Type: b[3], Protocol: b[4],
		Sockaddr: binary.LittleEndian.Uint32(b[12:]),
		Next:     binary.LittleEndian.Uint32(b[24:]),
	}
}

// PutResult writes what was found into an entry b. Its pointers belong to the guest and stay.
func (i EdgeAddrInfo) PutResult(b []byte) {
	const addrLen = 16 // WasmEdge's size of a sockaddr
	b[2], b[3], b[4] = i.Family, i.Type, i.Protocol
	binary.LittleEndian.PutUint32(b[8:], addrLen)
	binary.LittleEndian.PutUint32(b[20:], 0) // no canonical name
}
