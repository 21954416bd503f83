package hostfs

import "syscall"

// withParent is not needed: package network/kernel opens no Unix-domain socket on Windows.
func (d *osDir) withParent(string, func(uintptr, string) error) error {
	return syscall.EAFNOSUPPORT
}
