package wasi2

import (
	"sync"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/network"
)

// pending is the rest of a write that the system did not take at once. A goroutine writes it, so
// that it goes on whether or not the guest calls again: a guest may write a request and wait for
// the answer. The goroutine counts as waiting, and ends with the guest. The permit of a stream
// bounds the rest by maxPermit.
//
// Most guests flush what they have written, and then the guest's own thread can write the rest,
// which costs half of what handing it to a goroutine and back does. So the rest of a socket waits
// for that a short while, unless the guest polls for its end.
//
// The goroutines use ended, whose change hands err and rest over, and what mu protects.
type pending struct {
	guest *Guest
	fd    int32

	// started is true from a start until the guest has looked at the end.
	started bool
	ended   system.Signal

	rest []byte
	err  error

	// charged is how many bytes keep has charged to the guest's memory.
	charged uint64

	// launcher starts the goroutine. Where it was stopped, nobody else uses rest and err.
	launcher *time.Timer

	mu sync.Mutex
	// written is true once all is written, or a write has failed.
	written bool
	// thenShutdown is true if the sending direction of the socket ends after that.
	thenShutdown bool
}

// launchAfter is how long the rest of a socket waits for the guest's thread.
const launchAfter = 100 * time.Microsecond

// senderSize is about the size of what is made besides rest: a goroutine, its wait and a timer.
const senderSize = 4 << 10

// keep copies b to rest, which is charged to the guest until the description is closed. It returns
// ENOMEM if the guest has too little memory left.
func (p *pending) keep(g *Guest, b []byte) error {
	size := len(b)
	if cap(p.rest) == 0 {
		size += senderSize
	}
	if more := size - cap(p.rest); more > 0 {
		if g.Memory != nil && !g.Memory.Take(uint64(more)) {
			return syscall.ENOMEM
		}
		p.charged += uint64(more)
	}
	if len(b) > cap(p.rest) {
		p.rest = make([]byte, 0, len(b))
	}
	p.rest = append(p.rest[:0], b...)
	return nil
}

// free gives back what keep has charged. Nothing is pending, or the guest has ended.
func (p *pending) free(g *Guest) {
	if g.Memory != nil {
		g.Memory.Give(p.charged)
	}
	p.charged = 0
}

// start begins to write b to a descriptor. Nothing must be pending.
func (p *pending) start(g *Guest, d *description, b []byte) error {
	if err := p.keep(g, b); err != nil {
		return err
	}
	p.guest, p.fd = g, d.fd
	p.started, p.written = true, false
	p.ended.Clear()
	switch {
	case d.of != ofSocket:
		return g.SendOn(p.fd, p.rest, p.finish)
	case p.launcher == nil:
		p.launcher = time.AfterFunc(launchAfter, p.launch)
	default:
		p.launcher.Reset(launchAfter)
	}
	return nil
}

// launch starts the goroutine.
func (p *pending) launch() {
	if err := p.guest.SendOn(p.fd, p.rest, p.finish); err != nil {
		p.finish(err)
	}
}

// launchNow is launch if that has yet to come.
func (p *pending) launchNow() {
	if p.launcher != nil && p.launcher.Stop() {
		p.launch()
	}
}

// finish notes that the rest is written, or has failed.
func (p *pending) finish(err error) {
	defer p.ended.Set() // even if the embedder's code panics, as the unlocking
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err, p.written = err, true
	if p.thenShutdown {
		p.guest.Shutdown(p.fd, network.ShutWrite) // the descriptor is open until ended is set
	}
}

// sendHere writes the rest on the guest's thread.
func (p *pending) sendHere(g *Guest) error {
	for b := p.rest; len(b) > 0; {
		g.buf[0] = b
		n, err := g.TryWrite(p.fd, g.buf[:])
		if err == syscall.EAGAIN {
			g.ChargeSteps(1)
			n, err = 0, g.Await(p.fd, system.Writing)
		}
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// shutdownAfter ends the sending direction of the socket once all is written. It returns false if
// nothing is pending.
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
	if p.launcher != nil && p.launcher.Stop() {
		p.finish(p.sendHere(g))
		return g.Err()
	}
	return g.AwaitSignal(&p.ended)
}
