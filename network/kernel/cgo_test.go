//go:build cgo

package kernel_test

// usesC reports whether the C library resolves names if it is asked to.
func usesC() bool { return true }
