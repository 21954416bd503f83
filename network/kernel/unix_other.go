//go:build !linux

package kernel

import (
	"syscall"

	"github.com/wasport/wasport/network"
)

// openUnix makes no Unix-domain stream: only Linux connects to an open file (unix_linux.go).
func openUnix(network.Type) (network.Socket, error) { return nil, syscall.EAFNOSUPPORT }

// unixListenerEnded is for Linux, where accept(2) does not tell.
func unixListenerEnded(descriptor) bool { return false }

// dupUnixUnsent returns nil: these systems do not report the memory of unsent data.
func dupUnixUnsent(descriptor) network.Unsent { return nil }
