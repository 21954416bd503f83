package memory

import (
	"math"
	"unsafe"

	"golang.org/x/sys/windows"
)

// reserve returns n bytes of address space without access.
func reserve(n uint64) ([]byte, error) {
	if n == 0 {
		return []byte{}, nil
	}
	if n > math.MaxInt {
		return nil, windows.ERROR_NOT_ENOUGH_MEMORY
	}
	addr, err := windows.VirtualAlloc(0, uintptr(n), windows.MEM_RESERVE, windows.PAGE_NOACCESS)
	if err != nil {
		return nil, err
	}
	// The address is outside of Go's heap. Converting it through a variable's bits avoids the
	// compiler's checks of pointer arithmetic (-d=checkptr), which are for Go's own pointers.
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&addr)), n), nil
}

// commit makes the bytes from one offset to another readable and writable. They are zero.
func commit(b []byte, from, to uint64) error {
	if from == to {
		return nil
	}
	_, err := windows.VirtualAlloc(uintptr(unsafe.Pointer(&b[from])), uintptr(to-from),
		windows.MEM_COMMIT, windows.PAGE_READWRITE)
	return err
}

// release unmaps the range that reserve returned.
func release(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	return windows.VirtualFree(uintptr(unsafe.Pointer(&b[0])), 0, windows.MEM_RELEASE)
}
