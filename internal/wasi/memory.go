package wasi

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
)

// MemoryView is a guest's linear memory during one call. Guest memory is accessed through it only.
// Pointers come from the guest and may have any value: a range outside of the memory is EFAULT, and
// nothing is read or written. A view must not be used after the call, since the memory may move
// when it grows.
//
// Another thread of the guest may write at any time. So a structure must be copied once, and
// checked and used in the copy.
type MemoryView []byte

// MaxVectors is how many iovecs a call takes: IOV_MAX on Linux (readv(2)).
const MaxVectors = 1024

// Slice returns the n bytes at ptr.
func (m MemoryView) Slice(ptr, n uint32) ([]byte, Errno) {
	end := uint64(ptr) + uint64(n)
	if end > uint64(len(m)) {
		return nil, EFAULT
	}
	return m[ptr:end:end], Success
}

// CString returns a copy of the NUL-terminated string at ptr. A string longer than maxLen bytes,
// without the NUL, is ENAMETOOLONG.
func (m MemoryView) CString(ptr, maxLen uint32) (string, Errno) {
	if uint64(ptr) >= uint64(len(m)) {
		return "", EFAULT
	}
	rest := m[ptr:]
	cut := uint64(len(rest)) > uint64(maxLen)+1
	if cut {
		rest = rest[:uint64(maxLen)+1]
	}
	if n := bytes.IndexByte(rest, 0); n >= 0 {
		// Another thread may have written a NUL before that one since.
		s, _, _ := strings.Cut(string(rest[:n]), "\x00")
		return s, Success
	}
	if cut {
		return "", ENAMETOOLONG
	}
	return "", EFAULT
}

// Uint32 returns the number at ptr.
func (m MemoryView) Uint32(ptr uint32) (uint32, Errno) {
	b, e := m.Slice(ptr, 4)
	if e != Success {
		return 0, e
	}
	return binary.LittleEndian.Uint32(b), Success
}

// PutUint8, PutUint16, PutUint32 and PutUint64 write a number at ptr.
func (m MemoryView) PutUint8(ptr uint32, v uint8) Errno {
	b, e := m.Slice(ptr, 1)
	if e == Success {
		b[0] = v
	}
	return e
}

func (m MemoryView) PutUint16(ptr uint32, v uint16) Errno {
	b, e := m.Slice(ptr, 2)
	if e == Success {
		binary.LittleEndian.PutUint16(b, v)
	}
	return e
}

func (m MemoryView) PutUint32(ptr uint32, v uint32) Errno {
	b, e := m.Slice(ptr, 4)
	if e == Success {
		binary.LittleEndian.PutUint32(b, v)
	}
	return e
}

func (m MemoryView) PutUint64(ptr uint32, v uint64) Errno {
	b, e := m.Slice(ptr, 8)
	if e == Success {
		binary.LittleEndian.PutUint64(b, v)
	}
	return e
}

// Check returns EFAULT unless the n bytes at ptr exist. Calls check the pointers to their results
// with it before they have any effect.
func (m MemoryView) Check(ptr, n uint32) Errno {
	_, e := m.Slice(ptr, n)
	return e
}

// Vectors appends the buffers of the iovecs at ptr to dst, without empty ones, and returns their
// total length. It checks the whole list first. More than MaxVectors iovecs, or a total above
// 2^31-1, is EINVAL (POSIX, readv).
func (m MemoryView) Vectors(dst [][]byte, ptr, count uint32) (bufs [][]byte, total int, e Errno) {
	if count > MaxVectors {
		return dst, 0, EINVAL
	}
	list, e := m.Slice(ptr, 8*count)
	if e != Success {
		return dst, 0, e
	}
	for ; len(list) > 0; list = list[8:] {
		b, e := m.Slice(binary.LittleEndian.Uint32(list), binary.LittleEndian.Uint32(list[4:]))
		if e != Success {
			return dst, 0, e
		}
		if len(b) == 0 {
			continue
		}
		if len(b) > math.MaxInt32-total {
			return dst, 0, EINVAL
		}
		total += len(b)
		dst = append(dst, b)
	}
	return dst, total, Success
}
