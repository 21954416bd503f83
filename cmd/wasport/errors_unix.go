//go:build unix

package main

import "syscall"

// systemMessage returns an error with the system's message.
func systemMessage(n syscall.Errno) error { return n }
