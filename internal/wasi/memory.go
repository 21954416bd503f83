package wasi

import "encoding/binary"

// MemoryView is a view of a guest's linear memory, and the only way in which guest memory is
// touched. Offsets come from the guest and may be anything: what does not lie inside is EFAULT, and
// nothing was done. A view is valid for one host call, since the memory may move when the guest
// grows it.
//
// Another thread of the guest may write at any time, so a structure is copied once, and judged and
// used from the copy.
type MemoryView []byte

// MaxVectors is how many iovecs one call takes, the IOV_MAX of the systems that we run on.
const MaxVectors = 1024

// Slice is the n bytes at ptr.
func (m MemoryView) Slice(ptr, n uint32) ([]byte, Errno) {
	end := uint64(ptr) + uint64(n)
	if end > uint64(len(m)) {
		return nil, EFAULT
	}
	return m[ptr:end:end], Success
}

// CString is a copy of the NUL-terminated string at ptr, of at most max bytes without the NUL;
// ENAMETOOLONG beyond that.
func (m MemoryView) CString(ptr, maxLen uint32) (string, Errno) {
	if uint64(ptr) >= uint64(len(m)) {
		return "", EFAULT
	}
	rest := m[ptr:]
	cut := uint64(len(rest)) > uint64(maxLen)+1
	if cut {
		rest = rest[:uint64(maxLen)+1]
	}
	// A copy first: the terminator must not be looked for in bytes that may change.
	s := string(rest)
	for i := range len(s) {
		if s[i] == 0 {
			return s[:i], Success
		}
	}
	if cut {
		return "", ENAMETOOLONG
	}
	return "", EFAULT
}

// Uint32 is the number at ptr.
func (m MemoryView) Uint32(ptr uint32) (uint32, Errno) {
	b, e := m.Slice(ptr, 4)
	if e != Success {
		return 0, e
	}
	return binary.LittleEndian.Uint32(b), Success
}

// PutUint8 and its kin write a number at ptr.
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

// Check reports EFAULT unless each of the n bytes at ptr exists: for a result that is written after
// the work is done.
func (m MemoryView) Check(ptr, n uint32) Errno {
	_, e := m.Slice(ptr, n)
	return e
}

// Vectors appends the buffers that the iovecs at ptr describe to dst, without those that are empty,
// and returns their total length. The whole list is validated before anything is returned. EINVAL
// for more than MaxVectors, or a total over 2^31-1, as POSIX has it.
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
		if total += len(b); total > 1<<31-1 {
			return dst, 0, EINVAL
		}
		dst = append(dst, b)
	}
	return dst, total, Success
}
