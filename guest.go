package wasport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/wasport/wasport/internal/engine"
	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/printable"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/network/guard"
)

// Status describes the end of a guest that ended by itself.
type Status struct {
	// Code is the exit status that the guest passed to proc_exit; 0 if its function returned. Of a
	// component it is what the guest passed to exit-with-code, or else 0 for ok and 1 for an error,
	// which run returned or the guest passed to exit.
	Code uint32

	// Results are the results of Config.Function, as raw values of WebAssembly. The upper 32 bits
	// of an i32 or f32 are 0.
	Results []uint64
}

// Guest is a running guest.
type Guest struct {
	name      string
	values    guestValues
	sys       *system.Guest
	guard     *guard.Network
	callbacks callbackQueues

	stopped outside.Event // by Stop

	// grace ends the time that code of the embedder has to return after the guest's end.
	grace outside.GraceTimer

	// decided is set by the first of the two that decide the result of Wait: the end of the
	// threads, and that of grace.
	decided atomic.Bool

	// done is 0 when Wait may return; it publishes status and err.
	done   sync.WaitGroup
	status Status
	err    error
}

// Run runs a guest and waits for its end. A guest that exits is no error, whatever its status. The
// errors:
//
//   - *Trap: the guest trapped.
//   - ErrCPU: it has used up Config.MaxCPU.
//   - The cause of ctx (context.Cause): ctx ended it. Blocked calls return, and descriptors are
//     closed.
//   - *HostPanic: code of the embedder panicked.
//   - *StuckError: code of the embedder did not return in the 2 seconds after ctx, Stop or a limit
//     ended the guest. After a guest that ends by itself, writers and callbacks have as long as ctx
//     lasts.
//   - *ImportError: see CompileConfig.
//   - *ConfigError: the guest cannot start with this Config.
//   - Another error: the guest could not be started.
func (m *Module) Run(ctx context.Context, c Config) (Status, error) {
	g, err := m.prepare(ctx, &c)
	if err != nil {
		return Status{}, err
	}
	g.run(ctx, g.call)
	return g.Wait()
}

// Start starts a guest. It ends by itself, by Stop, or with ctx. Wait must be called in any case.
func (m *Module) Start(ctx context.Context, c Config) (*Guest, error) {
	g, err := m.prepare(ctx, &c)
	if err != nil {
		return nil, err
	}
	g.run(ctx, g.call)
	return g.Guest, nil
}

// errStopped is the reason of Stop(nil).
var errStopped = errors.New("the guest was stopped")

// Stop ends the guest, and Wait then returns reason. If reason is nil, Wait's error says that the
// guest was stopped. When Stop returns, the contexts of all host functions that the guest has
// called have ended.
func (g *Guest) Stop(reason error) {
	if reason == nil {
		reason = errStopped
	}
	g.stopped.Happen()
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		g.sys.Kill(reason)
	}()
	<-g.sys.Context().Done()
	var limit outside.Grace
	defer limit.End()
	limit.Wait(killed) // a socket of the embedder's network may not close
}

// Lacks tells which things a guest looked for and did not have, so that after its failure a program
// can name the remedy.
type Lacks struct {
	// Socket is true if the guest used the descriptor that the first of Config.Sockets would have,
	// with Config.Sockets empty, before it had opened a descriptor with that number itself.
	Socket bool

	// Directory is true if the guest used a path with Config.Dirs empty.
	Directory bool

	// Preopens is true if the guest asked whether descriptor 3 is a directory, with Config.Dirs
	// empty. wasi-libc asks at its start or before the first path. It then refuses every path
	// itself, so Directory stays false. Go's runtime asks at every start (see Module.ByGo).
	Preopens bool

	// BindPermission is true if the host's network refused a bind with EACCES, which Policy had
	// allowed, such as the system that of a port below 1024.
	BindPermission bool

	// Answer is true if no server answered a lookup that Policy had allowed.
	Answer bool
}

// Lacks returns the things that the guest lacked so far. It may be called at any time, from any
// goroutine.
func (g *Guest) Lacks() Lacks {
	l := g.sys.Lacks()
	return Lacks{l.Socket, l.Directory, l.Preopens, g.guard.BindForbidden(),
		g.guard.LookupUnanswered()}
}

// ThreadState is the state of a thread of a guest.
type ThreadState struct {
	// Number is 0 for the first thread, and counts the others in the order of their start.
	Number int

	// Call is the name of the imported function that the thread is in, such as "sock_recv". It is
	// empty for a thread that computes.
	Call string

	// Stack lists the active functions of a thread that computes, in the form of Trap.Stack. It is
	// empty for a thread that is in an imported function, with RuntimeConfig.NoInterrupt, and if
	// the thread did not tell it in time.
	Stack string
}

// ThreadStates returns the states of the guest's threads, in the order of their numbers. A thread
// that computes tells its stack within microseconds, once it has a turn on the processor;
// ThreadStates waits for that until ctx ends. It may be called at any time, from any goroutine.
func (g *Guest) ThreadStates(ctx context.Context) []ThreadState {
	var list []ThreadState
	for _, s := range g.sys.ThreadStates(ctx) {
		list = append(list, ThreadState(s))
	}
	return list
}

// Wait waits for the guest's end and returns the same as Run.
func (g *Guest) Wait() (Status, error) {
	g.done.Wait()
	return g.status, g.err
}

// Name returns Config.Name or, if that is empty, the first of Config.Args.
func (g *Guest) Name() string { return g.name }

// Dropped counts the reports that the embedder's callbacks did not get. It may be called at any
// time, from any goroutine.
func (g *Guest) Dropped() Dropped { return g.callbacks.dropped() }

// pendingGuest is a guest with the arguments of its start.
type pendingGuest struct {
	*Guest
	module engine.Program
	entry  engine.Entry
	config *Config
	trace  io.Writer
}

func (m *Module) prepare(ctx context.Context, c *Config) (*pendingGuest, error) {
	if m.Kind() == Component {
		if err := c.checkComponent(); err != nil {
			return nil, err
		}
	}
	entry, err := m.module.Entry(c.Function)
	if err != nil && c.Function == "" && m.Kind() == CoreModule {
		return nil, fmt.Errorf("%w; functions of a library are called by Instance.Call, or one is "+
			"named by Config.Function", err)
	}
	if err != nil {
		return nil, err
	}
	if len(c.Params) != len(entry.Params) {
		return nil, fmt.Errorf("function %s takes %d arguments, not %d", printable.Name(entry.Name),
			len(entry.Params), len(c.Params))
	}
	g, err := m.newGuest(ctx, c)
	if err != nil {
		return nil, err
	}
	return &pendingGuest{g, m.module, entry, c, g.callbacks.traceTo(c.Trace)}, nil
}

// newGuest makes a guest that does not run yet.
func (m *Module) newGuest(ctx context.Context, c *Config) (*Guest, error) {
	if m.ByGo() {
		c = c.forGo()
	}
	if err := c.checkDirNames(); err != nil {
		return nil, err
	}
	if err := c.checkCacheDirs(m.module.CachePaths()); err != nil {
		return nil, err
	}
	g := &Guest{name: c.name()}
	g.done.Add(1)
	g.values = guestValues{ctx, g}
	if ctx.Done() != nil {
		g.values.Context = context.WithoutCancel(ctx)
	}
	if err := c.newSystem(ctx, m.module.Threads(), g); err != nil {
		return nil, err
	}
	g.callbacks.sys = g.sys
	g.sys.AfterEnd(g.watch)
	return g, nil
}

// guestValues are the values of the contexts of the guest's calls: the guest, and those of the
// context that it was started with.
type guestValues struct {
	context.Context
	guest *Guest
}

type guestKey struct{}

func (v *guestValues) Value(key any) any {
	if key == (guestKey{}) {
		return v.guest
	}
	return v.Context.Value(key)
}

// run has call run the guest on a goroutine of its own, and returns. No other goroutine waits
// beside a running guest: an idle one would take a tenth more memory.
func (g *Guest) run(ctx context.Context, call func() (Status, error)) {
	release := func() bool { return true }
	if ctx.Done() != nil {
		release = context.AfterFunc(ctx, func() { g.sys.Kill(context.Cause(ctx)) })
	}
	go func() {
		growStack()
		var status Status
		var err error
		defer func() { g.finish(ctx, status, err) }()
		defer release()
		defer g.guard.Close()
		defer g.sys.Close()
		outside.Protect("a host function", func() { status, err = call() },
			func(p *outside.Panic) {
				g.sys.KillForPanic(p)
				err = g.sys.Err()
			})
	}()
}

// watch bounds the time from the guest's end until its threads have ended.
func (g *Guest) watch() {
	g.grace.Start(func() {
		if !g.decided.CompareAndSwap(false, true) {
			return
		}
		in := g.sys.ActiveImports()
		if len(in) == 0 {
			in = []string{"a function that is not wasport's"}
		}
		g.err = &StuckError{Reason: publicError(g.sys.Err()), In: in}
		g.done.Done()
	})
}

// growStack makes room on the goroutine's stack for the deepest calls of a guest's start, while the
// stack is almost empty. Go would otherwise grow it in steps, and copy more frames at each.
//
//go:noinline
func growStack() {
	var frame [6 << 10]byte
	runtime.KeepAlive(&frame)
}

// finish tells how the guest ended. Its threads have.
func (g *Guest) finish(ctx context.Context, status Status, err error) {
	g.grace.Stop()
	if !g.decided.CompareAndSwap(false, true) {
		return
	}
	g.status, g.err = status, publicError(err)
	if stuck := g.drain(ctx); len(stuck) > 0 {
		g.err = &StuckError{Reason: g.err, In: stuck}
	} else if p := g.sys.Panic(); p != nil && g.err == nil {
		g.err = (*HostPanic)(p)
	}
	g.done.Done()
}

// call calls the guest's function.
func (g *pendingGuest) call() (Status, error) {
	results, err := g.module.Run(g.sys, g.trace, &g.entry, g.config.Params,
		g.config.limits())
	status, err := statusOf(err)
	status.Results = results
	return status, err
}

// statusOf turns the error of a guest that has exited into a status.
func statusOf(err error) (Status, error) {
	if exit, ok := errors.AsType[*system.Exit](err); ok {
		return Status{Code: exit.Code}, nil
	}
	return Status{}, err
}

// drain waits until output and reports have been taken, and returns the names of callbacks and
// writers that are stuck. If the guest ended by itself, there is no time limit until ctx ends or
// Stop is called; else the limit is an outside.Grace.
func (g *Guest) drain(ctx context.Context) (stuck []string) {
	var room [5]outside.Drainer
	var limit outside.Grace
	defer limit.End()
	for _, o := range g.callbacks.appendTo(g.sys.AppendDrainers(room[:0])) {
		if o.Busy() == "" {
			continue
		}
		if g.err == nil {
			select {
			case <-o.Idle():
				continue
			case <-ctx.Done():
			case <-g.stopped.Done():
			}
		}
		if !limit.Wait(o.Idle()) {
			if in := o.Busy(); in != "" {
				stuck = append(stuck, in)
			}
		}
	}
	return stuck
}
