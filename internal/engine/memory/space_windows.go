package memory

import (
	"math"
	"unsafe"

	"golang.org/x/sys/windows"
)

// reserve returns n bytes of address space that nothing may touch yet.
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
	// The address is not Go's: reading it as a pointer from a variable's bits keeps the compiler's
	// checks for arithmetic on Go pointers out of it.
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&addr)), n), nil
}

// commit makes the bytes from one offset to another readable and writable; they are zero.
func commit(b []byte, from, to uint64) error {
	if from == to {
		return nil
	}
	_, err := windows.VirtualAlloc(uintptr(unsafe.Pointer(&b[from])), uintptr(to-from),
		windows.MEM_COMMIT, windows.PAGE_READWRITE)
	return err
}

func release(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	return windows.VirtualFree(uintptr(unsafe.Pointer(&b[0])), 0, windows.MEM_RELEASE)
}
