package system

import (
	"sync/atomic"
	"syscall"

	"github.com/wasport/wasport/network"
)

// defaultMemory bounds the memory of a guest's pipes, pairs of sockets and epolls in bytes, if its
// Network has no limit of memory.
const defaultMemory = 64 << 20

// memoryAccount counts the memory of a guest without such a Network.
type memoryAccount struct {
	used    atomic.Int64
	onLimit func()
}

var _ network.MemoryCharger = (*memoryAccount)(nil)

// newMemoryAccount returns the account of the guest's Network, or one of its own.
func (g *Guest) newMemoryAccount() network.MemoryCharger {
	if n, ok := g.network.(network.MemoryCharger); ok {
		return n
	}
	return &memoryAccount{onLimit: func() { g.ReportLimit("socket_memory", defaultMemory) }}
}

func (m *memoryAccount) ChargeMemory(bytes int64) error {
	if m.used.Add(bytes) <= defaultMemory {
		return nil
	}
	m.used.Add(-bytes)
	m.onLimit()
	return syscall.ENOBUFS
}

func (m *memoryAccount) RefundMemory(bytes int64) { m.used.Add(-bytes) }
