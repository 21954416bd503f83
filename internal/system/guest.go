// Package system is one guest's world: its descriptors, files, sockets, clocks, waiting, threads
// and its end.
//
// What a function of an ABI means is here; how its arguments lie in guest memory is in
// internal/abi, and what a socket does is in network. Nothing here knows an engine, and nothing
// here asks whether a guest may do something with an address: that is decided by the Network that
// the guest was given.
//
// Operations on descriptors of a guest may be called from several of its threads at once, each
// through its own Thread. Only here does anything block: sockets and files are tried, and when they
// have nothing to offer and the descriptor is in blocking mode, the thread waits. So closing a
// descriptor, a time-out and the guest's end wake every waiter in the same way.
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
	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// Config is what a guest starts with. The zero value has no arguments, no files and no network, an
// empty stdin, and discards its output.
type Config struct {
	Args []string
	Env  []string // "name=value"

	// Stdin, Stdout and Stderr are descriptors 0 to 2. An *os.File is used as it is, without being
	// closed or changed.
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	Preopens             []Preopen        // from descriptor 3 on
	Listeners            []network.Socket // after them; closed with the guest
	NonblockingListeners bool             // whether they start in non-blocking mode

	Network network.Network // nil: every socket and lookup is EACCES
	Random  io.Reader       // nil: crypto/rand

	// MaxDescriptors limits how many descriptors are open at once; EMFILE beyond. 0 =
	// DefaultMaxDescriptors.
	MaxDescriptors int

	// OnLimit is told, each time, which limit of the guest refused something: "descriptors" or
	// "threads", and what it is. It is called on the guest's goroutines, several at once. May be
	// nil.
	OnLimit func(name string, limit int)

	// MaxCPU limits the processor time of the guest's threads in all; it is killed with ErrCPU
	// beyond. 0 = no limit.
	MaxCPU time.Duration
}

// ErrCPU is the reason of the end of a guest that has used up its running time.
var ErrCPU = errors.New("the guest has used up its running time")

// DefaultMaxDescriptors leaves room for a server with some thousand connections.
const DefaultMaxDescriptors = 8192

// Preopen is a directory that a guest finds open when it starts, under the given name.
type Preopen struct {
	Dir  *hostfs.Dir // closed with the guest
	Name string

	// Quota bounds by how many bytes the guest makes the files beneath it larger; ENOSPC beyond. 0
	// = no limit.
	Quota uint64
}

// Guest is the world of one running guest.
type Guest struct {
	args, env []string
	network   network.Network
	random    io.Reader
	started   time.Time
	onLimit   func(name string, limit int)
	preopens  int32 // how many there were at the start
	listeners bool  // whether there were any at the start
	lacks     atomic.Uint32
	table     table

	ctx               context.Context // ends with the guest, after its reason is known
	cancel            context.CancelCauseFunc
	endReason         atomic.Pointer[error] // the reason of the guest's end
	panicked          atomic.Pointer[outside.Panic]
	descriptorsClosed chan struct{} // closed when all descriptors are
	sinks             []*sink       // of stdout and stderr

	schedGuest sched.Guest // what its threads have in common there

	mu      sync.Mutex
	threads map[*Thread]struct{}

	endedThreadsCPU time.Duration // What the threads that have ended computed.
	lastReportedCPU time.Duration // What the guest was last told that all of them have.
}

// Exit is the error with which a guest that called proc_exit ends.
type Exit struct{ Code uint32 }

func (e *Exit) Error() string { return fmt.Sprintf("exit status %d", e.Code) }

// New makes a guest's world, with the values of ctx; ending it is up to Kill. The guest owns what
// the configuration lends it, also when New fails.
func New(ctx context.Context, c Config) (*Guest, error) {
	g := &Guest{
		args: c.Args, env: c.Env, network: c.Network, random: c.Random,
		started: time.Now(), onLimit: c.OnLimit,
		preopens: int32(len(c.Preopens)), listeners: len(c.Listeners) > 0,
		threads: make(map[*Thread]struct{}), descriptorsClosed: make(chan struct{}),
	}
	g.schedGuest.Limit = c.MaxCPU
	if g.random == nil {
		g.random = rand.Reader
	}
	g.table.maxOpen = c.MaxDescriptors
	if g.table.maxOpen == 0 {
		g.table.maxOpen = DefaultMaxDescriptors
	}
	g.ctx, g.cancel = context.WithCancelCause(context.WithoutCancel(ctx))

	var errs []error
	add := func(d *descriptor, err error) {
		if err == nil {
			_, err = g.insert(d)
		}
		errs = append(errs, err)
	}
	add(g.newStdin(c.Stdin))
	stdout, err := g.newOutput("Config.Stdout", c.Stdout)
	add(stdout, err)
	add(g.newStderr(c.Stderr, stdout))
	for _, p := range c.Preopens {
		add(newDirectory(directory{p.Dir, g.newQuota(p.Quota)}, &p.Name, wasi.RightsDirectory,
			wasi.RightsDirectory|wasi.RightsFile), nil)
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

// Kill ends the guest for the given reason, the first one if there are several: every call that is
// blocked returns, no further one blocks or touches a descriptor, and Err tells the reason. It may
// be called from anywhere, any number of times.
func (g *Guest) Kill(cause error) {
	if !g.endReason.CompareAndSwap(nil, &cause) {
		return
	}
	g.cancel(cause)
	g.table.closeAll(g.KillForPanic)
	close(g.descriptorsClosed)
	g.wakePollers()
}

// KillForPanic ends the guest since code of the embedder's panicked on its behalf.
func (g *Guest) KillForPanic(p *outside.Panic) {
	g.panicked.CompareAndSwap(nil, p)
	g.Kill(p)
}

// Panic is the first panic of the embedder's code, or nil. There may be one after the guest's end,
// of a writer that was given the last of its output.
func (g *Guest) Panic() *outside.Panic { return g.panicked.Load() }

// Context ends with the guest, with the reason as its cause. It has the values of New's.
func (g *Guest) Context() context.Context { return g.ctx }

// Drainers are the Go writers that the guest prints to.
func (g *Guest) Drainers() []outside.Drainer {
	var list []outside.Drainer
	for _, s := range g.sinks {
		list = append(list, s)
	}
	return list
}

// Err is the reason for which the guest was ended, or nil while it lives.
func (g *Guest) Err() error {
	if p := g.endReason.Load(); p != nil {
		return *p
	}
	return nil
}

// errEnded is the reason of a guest that ended by itself.
var errEnded = errors.New("the guest has ended")

// Close releases everything that the guest holds. When it returns, that is done, whoever ended the
// guest.
func (g *Guest) Close() {
	g.Kill(errEnded)
	<-g.descriptorsClosed
}

// Args and Env are what the guest was started with.
func (g *Guest) Args() []string { return g.args }
func (g *Guest) Env() []string  { return g.env }

// Random fills b with random bytes. It does so in pieces, since b may be gigabytes and the guest
// may have to end meanwhile.
func (t *Thread) Random(b []byte) error {
	const piece = 64 << 10 // 100 to 200 µs
	for len(b) > 0 && t.Err() == nil {
		n, err := io.ReadFull(t.random, b[:min(len(b), piece)])
		if err != nil {
			return err
		}
		b = b[n:]
		t.Work(tickSteps * n / piece)
	}
	return t.Err()
}

// wakePollers makes the threads that wait for more than a socket look again at what they wait for.
func (g *Guest) wakePollers() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for t := range g.threads {
		if s := t.sleeper.Load(); s != nil {
			s.Wake()
		}
	}
}
