//go:build linux && cgo

package kernel_test

// usesC reports whether GODEBUG=netdns=cgo makes the C library resolve names.
func usesC() bool { return true }
