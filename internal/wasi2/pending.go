package wasi2

import (
	"sync"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/network"
)

// pending is the rest of a write that the system did not take at once. A goroutine writes it, so
// that it goes on whether or not the guest calls again: a guest may write a request and wait for
// the answer. The goroutine exists while there is a rest. It counts as waiting, and ends with the
// guest. The permit of a stream bounds the rest by maxPermit.
//
// Both goroutines use ended, whose change hands err and rest over, and what mu protects.
type pending struct {
	// started is true from the start of the goroutine until the guest has looked at its end.
	started bool
	ended   system.Signal

	rest []byte
	err  error

	mu sync.Mutex
	// written is true once the goroutine has written all, or failed.
	written bool
	// thenShutdown is true if the goroutine then ends the sending direction of the socket.
	thenShutdown bool
}

// start begins to write b to a descriptor. Nothing must be pending.
func (p *pending) start(g *Guest, fd int32, b []byte) error {
	p.rest = append(p.rest[:0], b...)
	p.started, p.written = true, false
	p.ended.Clear()
	return g.SendOn(fd, p.rest, func(err error) {
		p.mu.Lock()
		p.err, p.written = err, true
		if p.thenShutdown {
			g.Shutdown(fd, network.ShutWrite) // the descriptor is open until ended is set
		}
		p.mu.Unlock()
		p.ended.Set()
	})
}

// shutdownAfter has the goroutine end the sending direction of the socket once it has written all.
// It returns false if it has done so already.
func (p *pending) shutdownAfter() bool {
	if !p.started {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.thenShutdown = !p.written
	return p.thenShutdown
}

// busy reports whether the write goes on.
func (p *pending) busy() bool { return p.started && !p.ended.IsSet() }

// takeError returns the error of a write that has ended, once.
func (p *pending) takeError() error {
	if !p.started || !p.ended.IsSet() {
		return nil
	}
	err := p.err
	p.started, p.err = false, nil
	return err
}

// await waits until the write has ended. It fails only if the guest ends.
func (p *pending) await(g *Guest) error {
	if !p.busy() {
		return nil
	}
	return g.AwaitSignal(&p.ended)
}
