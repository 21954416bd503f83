package wasport

import (
	"context"
	"errors"
	"fmt"

	"github.com/wasport/wasport/internal/engine"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/network/guard"
)

// Status is how a guest ended by itself.
type Status struct {
	Code    uint32   // what it passed to proc_exit; 0 if it returned from its entry
	Results []uint64 // what the entry returned, as WebAssembly's raw values
}

// Trap is the error of a guest that did what WebAssembly does not allow: an access out of bounds, an unreachable instruction, too
// deep a recursion, a call of a function that the host lacks.
type Trap = engine.Trap

// Guest is a running guest.
type Guest struct {
	world  *system.Guest
	guard  *guard.Network
	done   chan struct{}
	status Status
	err    error
}

// Run runs a guest from its beginning to its end. A guest that exits, with whatever status, is no error. The error is a *Trap if it
// trapped, and what context.Cause says of ctx if that ended it: blocked calls return, descriptors are closed.
func (m *Module) Run(ctx context.Context, c Config) (Status, error) {
	g, err := m.prepare(ctx, &c)
	if err != nil {
		return Status{}, err
	}
	g.run(ctx)
	return g.status, g.err
}

// Start starts a guest and returns while it runs. It ends by itself, by Stop, or with ctx; Wait must be called in any case.
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

// Stop ends the guest for a reason, which Wait then returns; nil says no more than that it was stopped.
func (g *Guest) Stop(reason error) {
	if reason == nil {
		reason = errStopped
	}
	g.world.Kill(reason)
}

// Lacks are what a guest looked for and was not given.
type Lacks = system.Lacks

// Lacks returns what the guest lacked so far. It may be called at any time, from any goroutine.
func (g *Guest) Lacks() Lacks { return g.world.Lacks() }

// Wait waits for the guest's end and tells the same as Run.
func (g *Guest) Wait() (Status, error) {
	<-g.done
	return g.status, g.err
}

// starting is a guest with what it needs to begin.
type starting struct {
	*Guest
	module *engine.Module
	entry  engine.Entry
	config *Config
}

func (m *Module) prepare(ctx context.Context, c *Config) (*starting, error) {
	entry, err := m.module.Entry(c.Function)
	if err != nil {
		return nil, err
	}
	if len(c.Params) != len(entry.Params) {
		return nil, fmt.Errorf("function %s takes %d arguments, not %d", entry.Name, len(entry.Params), len(c.Params))
	}
	world, guarded, err := c.world(ctx, m.module.Threads())
	if err != nil {
		return nil, err
	}
	return &starting{&Guest{world: world, guard: guarded, done: make(chan struct{})}, m.module, entry, c}, nil
}

func (g *starting) run(ctx context.Context) {
	defer close(g.done)
	defer g.world.Close()
	stop := context.AfterFunc(ctx, func() { g.world.Kill(context.Cause(ctx)) })
	defer stop()

	results, err := g.module.Run(ctx, g.world, g.config.Trace, g.entry, g.config.Params, engine.Limits{
		Memory: g.config.MaxMemory, Threads: g.config.MaxThreads,
	})
	var exit *system.Exit
	if errors.As(err, &exit) {
		g.status, err = Status{Code: exit.Code}, nil
	} else {
		g.status.Results = results
	}
	g.err = err
}

// ErrCPU is the error of a guest that has used up Config.MaxCPU.
var ErrCPU = system.ErrCPU
