package main

import "syscall"

// keepSocket fails: no service manager of Windows passes sockets.
func keepSocket(int) error { return syscall.ENOTSUP }
