package wasport

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wasport/wasport/internal/engine"
	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/printable"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/network/guard"
)

// Status is how a guest ended by itself.
type Status struct {
	Code    uint32   // what it passed to proc_exit; 0 if it returned from its entry
	Results []uint64 // what the entry returned, as WebAssembly's raw values
}

// endGrace is how long a guest that has been ended is waited for, and then again what it has
// written.
const endGrace = 2 * time.Second

// Guest is a running guest.
type Guest struct {
	sys       *system.Guest
	guard     *guard.Network
	callbacks callbackQueues
	stopped   chan struct{} // closed by Stop
	stopOnce  sync.Once

	threadsDone chan struct{} // closed when the guest's threads have ended
	done        chan struct{} // closed when Wait may return
	status      Status
	err         error
}

// Run runs a guest from its beginning to its end. A guest that exits, with whatever status, is no
// error. The error is a *Trap if it trapped, and what context.Cause says of ctx if that ended it:
// blocked calls return, descriptors are closed. It is a *HostPanic if code of the embedder's
// panicked, and a *StuckError if such code did not return within two seconds after the guest was
// ended.
func (m *Module) Run(ctx context.Context, c Config) (Status, error) {
	g, err := m.prepare(ctx, &c)
	if err != nil {
		return Status{}, err
	}
	g.run(ctx)
	return g.status, g.err
}

// Start starts a guest and returns while it runs. It ends by itself, by Stop, or with ctx; Wait
// must be called in any case.
func (m *Module) Start(ctx context.Context, c Config) (*Guest, error) {
	g, err := m.prepare(ctx, &c)
	if err != nil {
		return nil, err
	}
	go g.run(ctx)
	return g.Guest, nil
}

// errStopped is the reason of a guest that Stop ended.
var errStopped = errors.New("the guest was stopped")

// Stop ends the guest for a reason, which Wait then returns; nil says no more than that it was
// stopped. When it returns, the context of every host function that the guest is in has ended.
func (g *Guest) Stop(reason error) {
	if reason == nil {
		reason = errStopped
	}
	g.stopOnce.Do(func() { close(g.stopped) })
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		g.sys.Kill(reason)
	}()
	<-g.sys.Context().Done()
	select {
	case <-killed:
	case <-time.After(endGrace): // a network of the embedder's does not close a socket
	}
}

// Lacks tells which things a guest looked for and did not have, so that after its failure a program
// can say which part of the Config would have helped.
type Lacks struct {
	// Socket is true if the guest used the descriptor that the first of Config.Sockets would have,
	// with Config.Sockets empty, before it had opened a descriptor with that number itself.
	Socket bool

	// Directory is true if the guest used a path with Config.Dirs empty.
	Directory bool

	// Preopens is true if the guest asked whether descriptor 3 is a directory, with Config.Dirs
	// empty. C libraries ask at their start, or before the first path, and then fail by themselves.
	Preopens bool
}

// Lacks returns the things that the guest lacked so far. It may be called at any time, from any
// goroutine.
func (g *Guest) Lacks() Lacks { return Lacks(g.sys.Lacks()) }

// Wait waits for the guest's end and tells the same as Run.
func (g *Guest) Wait() (Status, error) {
	<-g.done
	return g.status, g.err
}

// Dropped counts what the embedder was not told of. It may be called at any time, from any
// goroutine.
func (g *Guest) Dropped() Dropped { return g.callbacks.dropped() }

// pendingGuest is a guest with what it needs to begin.
type pendingGuest struct {
	*Guest
	module *engine.Module
	entry  engine.Entry
	config *Config
}

func (m *Module) prepare(ctx context.Context, c *Config) (*pendingGuest, error) {
	if m.ByGo() {
		c = c.forGo()
	}
	entry, err := m.module.Entry(c.Function)
	if err != nil {
		return nil, err
	}
	if len(c.Params) != len(entry.Params) {
		return nil, fmt.Errorf("function %s takes %d arguments, not %d", printable.Name(entry.Name),
			len(entry.Params), len(c.Params))
	}
	if err := c.checkCacheDirs(m.module.CachePaths()); err != nil {
		return nil, err
	}
	g := &Guest{stopped: make(chan struct{}), threadsDone: make(chan struct{}),
		done: make(chan struct{})}
	if g.sys, g.guard, err = c.newSystem(ctx, m.module.Threads(), &g.callbacks); err != nil {
		return nil, err
	}
	g.callbacks.attach(g.sys)
	return &pendingGuest{g, m.module, entry, c}, nil
}

// run runs the guest, and returns when it has ended or is stuck.
func (g *pendingGuest) run(ctx context.Context) {
	defer close(g.done)
	defer context.AfterFunc(ctx, func() { g.sys.Kill(context.Cause(ctx)) })()

	var status Status
	var err error
	go func() {
		defer close(g.threadsDone)
		defer g.guard.Close()
		defer g.sys.Close()
		outside.Protect("a host function", func() { status, err = g.call() },
			func(p *outside.Panic) {
				g.sys.KillForPanic(p)
				err = p
			})
	}()
	if !g.awaitThreads() {
		in := g.sys.ActiveImports()
		if len(in) == 0 {
			in = []string{"a function that is not wasport's"}
		}
		g.err = &StuckError{Reason: publicError(g.sys.Err()), In: in}
		return
	}
	g.status, g.err = status, publicError(err)
	if stuck := g.drain(ctx); len(stuck) > 0 {
		g.err = &StuckError{Reason: g.err, In: stuck}
	} else if p := g.sys.Panic(); p != nil && g.err == nil {
		g.err = (*HostPanic)(p)
	}
}

// call calls the guest's entry.
func (g *pendingGuest) call() (Status, error) {
	results, err := g.module.Run(g.sys.Context(), g.sys, g.callbacks.traceTo(g.config.Trace),
		g.entry, g.config.Params, engine.Limits{
			Memory: g.config.MaxMemory, Threads: g.config.MaxThreads,
		})
	var exit *system.Exit
	if errors.As(err, &exit) {
		return Status{Code: exit.Code}, nil
	}
	return Status{Results: results}, err
}

// awaitThreads waits for the guest's end. It is false if the threads do not come back from the
// host.
func (g *Guest) awaitThreads() bool {
	select {
	case <-g.threadsDone:
		return true
	case <-g.sys.Context().Done():
	}
	timer := time.NewTimer(endGrace)
	defer timer.Stop()
	select {
	case <-g.threadsDone:
		return true
	case <-timer.C:
		return false
	}
}

// drain waits until what the guest has written is where it should be: for as long as that takes
// if the guest has ended by itself and nobody asks it to hurry. It returns what is stuck.
func (g *Guest) drain(ctx context.Context) (stuck []string) {
	all := g.sys.Drainers()
	for _, q := range g.callbacks.all() {
		all = append(all, q)
	}
	limit := context.Background()
	for _, o := range all {
		if g.err == nil {
			select {
			case <-o.Idle():
				continue
			case <-ctx.Done():
			case <-g.stopped:
			}
		}
		if _, begun := limit.Deadline(); !begun {
			var cancel context.CancelFunc
			limit, cancel = context.WithTimeout(limit, endGrace)
			defer cancel()
		}
		select {
		case <-o.Idle():
		case <-limit.Done():
			if in := o.Busy(); in != "" {
				stuck = append(stuck, in)
			}
		}
	}
	return stuck
}
