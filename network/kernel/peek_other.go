//go:build !linux

package kernel

// kernelPeeks reports whether the kernel can peek at a datagram.
func kernelPeeks() bool { return true }
