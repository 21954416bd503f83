// Package system implements one running guest's operating system: its descriptors, files, sockets,
// clocks, threads and its end.
//
// Belongs here: the semantics of each call, and blocking. Does not belong here: the layout of
// arguments in guest memory (internal/abi), the behaviour of a socket (network), WebAssembly
// engines (internal/engine), and decisions on addresses, which the Network that the guest was given
// takes.
//
// Blocking. Objects are tried and never block by themselves. If an object returns EAGAIN and its
// descriptor is in blocking mode, the thread waits here and tries again:
//
//	for {
//		n, err := d.write(bufs)
//		if !d.shouldRetry(err, 0) { // another result than EAGAIN, or non-blocking mode
//			return n, err
//		}
//		// Wait. The error says that the descriptor was closed or that the guest has ended.
//		if err := t.block(d, network.Writable, noDeadline); err != nil {
//			return 0, err
//		}
//	}
//
// So a closed descriptor, a time-out and the guest's end wake every waiter in the same way. On
// Linux the one thread of a process's one guest looks for the event a few times before it waits
// (busyPoll).
//
// Concurrency. Several threads of a guest may call at once, each through its own Thread; a Thread
// is used by one goroutine at a time. The methods of Guest may be called from any goroutine.
//
// Lock order. No lock of this package is held while another lock of this package is taken. Locks of
// other packages come after:
//
//   - Guest.mu, sink.mu, source.mu, then the lock of a poll.Set (its Wake).
//   - Guest.mu, then the locks of a network.Socket that holds sends (its Flush).
//   - readAhead.mu, then the locks of a network.Socket.
//   - quota.mu, then file system calls of hostfs and Config.OnLimit.
//   - table.mu comes last: it is held for the change of a slot only. Descriptors are closed after
//     it is released.
package system

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/monotonic"
	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/internal/shortcut"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// Config describes a guest before its start. The zero value has no arguments, no files and no
// network, an empty stdin, and discards the guest's output.
type Config struct {
	Args []string

	// Env has entries of the form "name=value".
	Env []string

	// Stdin, Stdout and Stderr are descriptors 0 to 2. An *os.File is used as it is, without being
	// closed or changed.
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// Preopens are the directories that the guest has open, from descriptor 3 on.
	Preopens []Preopen

	// Listeners are the sockets that the guest has open after the Preopens. The guest owns them and
	// closes them at its end.
	Listeners []network.Socket

	// NonblockingListeners puts the Listeners into non-blocking mode.
	NonblockingListeners bool

	// Network opens the guest's sockets and resolves names. If it is nil, every socket and lookup
	// is EACCES.
	Network network.Network

	// Random is the source of random bytes; nil = crypto/rand.
	Random io.Reader

	// MaxDescriptors limits how many descriptors are open at once; the next one is EMFILE. 0 =
	// DefaultMaxDescriptors.
	MaxDescriptors int

	// OnLimit is called each time that a limit refuses something, with the limit's name
	// ("descriptors", "quota", "memory", "threads", "socket_memory") and value. It is called on the
	// guest's goroutines, several at once. May be nil.
	OnLimit func(name string, limit int)

	// MaxCPU limits the processor time of all threads together. Beyond it the guest is killed with
	// ErrCPU. 0 = no limit.
	MaxCPU time.Duration

	// Without are names of optimisations to do without, of package shortcut.
	Without []string

	// Cause converts the reason of the guest's end to the cause of Context, which code of the
	// embedder may look at. Nil leaves it as it is.
	Cause func(reason error) error
}

// ErrCPU is the error of a guest that has used up Config.MaxCPU.
var ErrCPU = errors.New("the guest has used up its running time")

// DefaultMaxDescriptors suffices for a server with some thousand connections.
const DefaultMaxDescriptors = 8192

// Preopen is a directory that a guest has open when it starts, under the given name.
type Preopen struct {
	Dir  hostfs.Dir // the guest closes it at its end
	Name string

	// Quota bounds by how many bytes the guest makes the files beneath Dir larger; ENOSPC beyond. 0
	// = no limit.
	Quota uint64
}

// Guest is the operating system of one running guest.
type Guest struct {
	args, env []string
	network   network.Network
	random    io.Reader
	shortcuts shortcut.Set
	started   time.Duration // by package monotonic
	onLimit   func(name string, limit int)
	preopens  []*descriptor // of Config.Preopens, whatever the guest has done with them since
	listeners bool          // there were Config.Listeners
	lacks     atomic.Uint32
	lookups   atomic.Int32 // those under way that StartLookup began
	epolls    atomic.Int32 // those that are open
	table     table
	// memory is charged for pipes, pairs of sockets and epolls.
	memory network.MemoryCharger

	// ctx ends with the guest, after endReason is stored. Its cause is cause(endReason).
	ctx    context.Context
	cancel context.CancelCauseFunc
	cause  func(reason error) error

	// endReason is the argument of the first Kill; nil while the guest runs.
	endReason atomic.Pointer[error]
	panicked  atomic.Pointer[outside.Panic]

	// afterEnd is the function of AfterEnd, or nil.
	afterEnd func()

	// descriptorsClosed is 0 once every descriptor is closed.
	descriptorsClosed sync.WaitGroup

	// sinks are those of stdout and stderr, or nil.
	sinks [2]*sink

	// schedGuest is the account of processor time that the threads share.
	schedGuest sched.Guest

	// hasSleepers is true once a thread has had a sleeper. Until then wakePollers takes no lock.
	hasSleepers atomic.Bool

	mu      sync.Mutex
	threads []*Thread
	// first is the first thread, and firstThread the room of threads while there is one.
	first       Thread
	firstThread [1]*Thread

	// startedThreads is how many threads have been started.
	startedThreads int32

	dependentsEnded bool

	// dependents are the functions of OnEnd, until they are called.
	dependents map[*func(error)]struct{}

	// endedThreadsCPU is the processor time of the threads that have ended.
	endedThreadsCPU time.Duration

	// lastReportedCPU is the last result of cpuTime.
	lastReportedCPU time.Duration
}

// Exit is the error of a guest that called proc_exit.
type Exit struct{ Code uint32 }

func (e *Exit) Error() string { return fmt.Sprintf("exit status %d", e.Code) }

// MisfitError is the error of a guest that cannot start with its configuration.
type MisfitError struct {
	Err error
	// Memory is set if the limit of memory is too small for it.
	Memory bool
}

func (e *MisfitError) Error() string { return e.Err.Error() }

// New prepares a guest. Its Context has the values of ctx but does not end with it; only Kill and
// Close end the guest. The guest owns the Preopens and Listeners of c, also when New fails.
func New(ctx context.Context, c Config) (*Guest, error) {
	g := &Guest{
		args: c.Args, env: c.Env, network: c.Network, random: c.Random,
		started: monotonic.Now(), onLimit: c.OnLimit, cause: c.Cause,
		listeners: len(c.Listeners) > 0,
	}
	g.descriptorsClosed.Add(1)
	g.schedGuest.Limit = c.MaxCPU
	g.threads = g.firstThread[:0]
	g.memory = g.newMemoryAccount()
	if g.cause == nil {
		g.cause = func(reason error) error { return reason }
	}
	if g.random == nil {
		g.random = rand.Reader
	}
	g.table.maxOpen = c.MaxDescriptors
	if g.table.maxOpen == 0 {
		g.table.maxOpen = DefaultMaxDescriptors
	}
	if ctx.Done() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	g.ctx, g.cancel = context.WithCancelCause(ctx)

	var errs []error
	add := func(d *descriptor, err error) {
		if err == nil {
			_, err = g.insert(d)
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	stdio := new([3]ownDescriptor)
	add(g.newStdin(&stdio[0], c.Stdin))
	var err error
	if g.shortcuts, err = shortcut.Except(c.Without); err != nil {
		errs = append(errs, fmt.Errorf("Config.Without: %w", err))
	}
	stdout, err := g.newOutput(&stdio[1], "Config.Stdout", c.Stdout)
	add(stdout, err)
	add(g.newStderr(&stdio[2], c.Stderr, stdout))
	for _, p := range c.Preopens {
		d := newDirectory(directory{p.Dir, g.newQuota(p.Quota)}, &p.Name, wasi.RightsDirectory,
			wasi.RightsDirectory|wasi.RightsFile)
		g.preopens = append(g.preopens, d)
		add(d, nil)
	}
	for _, s := range c.Listeners {
		d := newSocket(s)
		d.nonblock.Store(c.NonblockingListeners)
		add(d, nil)
	}
	if err := errors.Join(errs...); err != nil {
		g.Close()
		return nil, fmt.Errorf("preparing the guest's descriptors: %w", err)
	}
	return g, nil
}

// Kill ends the guest for a reason; the first call decides. It wakes every blocked call, closes all
// descriptors, and makes every later call fail; Err then returns the reason. Kill may be called
// from any goroutine, any number of times.
func (g *Guest) Kill(reason error) {
	if g.Err() != nil {
		return
	}
	first := reason // a variable of its own, since it is allocated
	if !g.endReason.CompareAndSwap(nil, &first) {
		return
	}
	g.flushThreads()
	g.endDependents(g.cause(reason))
	g.cancel(g.cause(reason))
	if g.afterEnd != nil {
		g.afterEnd()
	}
	g.table.closeAll(g.KillForPanic)
	g.descriptorsClosed.Done()
	g.wakePollers()
}

// AfterEnd has f called once the guest's Context has ended, and before its descriptors are closed,
// which may block. f must not block. AfterEnd itself is called before the guest starts.
func (g *Guest) AfterEnd(f func()) { g.afterEnd = f }

// OnEnd has end called when the guest ends, before its Context does, with the cause of that. If the
// guest has ended, OnEnd calls it. Remove takes it back.
func (g *Guest) OnEnd(end func(cause error)) (remove func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dependentsEnded {
		end(g.cause(g.Err()))
		return func() {}
	}
	if g.dependents == nil {
		g.dependents = make(map[*func(error)]struct{})
	}
	g.dependents[&end] = struct{}{}
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.dependents, &end)
	}
}

func (g *Guest) endDependents(cause error) {
	g.mu.Lock()
	dependents := g.dependents
	g.dependents, g.dependentsEnded = nil, true
	g.mu.Unlock()
	for end := range dependents {
		(*end)(cause)
	}
}

// KillForPanic ends the guest because code of the embedder panicked on its behalf.
func (g *Guest) KillForPanic(p *outside.Panic) {
	g.panicked.CompareAndSwap(nil, p)
	g.Kill(p)
}

// Panic returns the first panic of the embedder's code, or nil. It may come after the guest's end,
// from a writer that takes the last of its output.
func (g *Guest) Panic() *outside.Panic { return g.panicked.Load() }

// Context ends with the guest; its cause is the reason as Config.Cause converts it. It has the
// values of the context given to New.
func (g *Guest) Context() context.Context { return g.ctx }

// AppendDrainers appends the sinks of stdout and stderr that are Go writers.
func (g *Guest) AppendDrainers(list []outside.Drainer) []outside.Drainer {
	for _, s := range g.sinks {
		if s != nil {
			list = append(list, s)
		}
	}
	return list
}

// Err returns the reason for which the guest ended, or nil while it runs.
func (g *Guest) Err() error {
	if p := g.endReason.Load(); p != nil {
		return *p
	}
	return nil
}

// errEnded is the reason of a guest that was closed before anything else ended it.
var errEnded = errors.New("the guest has ended")

// Close releases everything that the guest holds, and waits until another goroutine's Kill has done
// so.
func (g *Guest) Close() {
	g.Kill(errEnded)
	g.descriptorsClosed.Wait()
}

// Args and Env return the arguments and the environment of Config.
func (g *Guest) Args() []string { return g.args }
func (g *Guest) Env() []string  { return g.env }

// Takes reports whether the guest takes a shortcut.
func (g *Guest) Takes(s shortcut.Set) bool { return g.shortcuts.Has(s) }

// Random fills b with random bytes. It does so in chunks, since b may be gigabytes long and the
// guest may be killed meanwhile.
func (t *Thread) Random(b []byte) error {
	const piece = 64 << 10 // takes 100 to 200 microseconds
	for len(b) > 0 && t.Err() == nil {
		n, err := io.ReadFull(t.random, b[:min(len(b), piece)])
		if err != nil {
			return err
		}
		b = b[n:]
		t.ChargeSteps(tickSteps * n / piece)
	}
	return t.Err()
}

// wakePollers wakes the threads that wait in a poll.Set, so that each of them looks again at its
// descriptors and at the guest's end.
func (g *Guest) wakePollers() {
	if !g.hasSleepers.Load() {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.threads {
		if s := t.sleeper.Load(); s != nil {
			s.Wake()
		}
	}
}
