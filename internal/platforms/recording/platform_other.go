//go:build !linux && !windows

package recording

// platform tells that no other system is recorded.
func platform() string { return "" }
