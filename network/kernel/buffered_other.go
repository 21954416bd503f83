//go:build !linux

package kernel

import "github.com/wasport/wasport/network"

// grownBuffers returns more than systems let buffers of TCP grow to unless they are told to.
func grownBuffers() (recv, send int64) { return 16 << 20, 16 << 20 }

// sendMemory is 0 since systems do not tell, so what a closed socket has yet to send is not
// followed.
func sendMemory(descriptor) (int64, error) { return 0, nil }

func leaveUnsent(descriptor) network.Unsent { return nil }
