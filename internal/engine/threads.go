package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/abi"
	"github.com/wasport/wasport/internal/engine/futex"
	"github.com/wasport/wasport/internal/engine/memory"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
)

// What a module with threads imports and exports. Source: wasi-threads, wasi-threads.abi.md.
const (
	threadsModule = "wasi"
	threadSpawn   = "thread-spawn"      // (argument i32) -> (id i32)
	threadStart   = "wasi_thread_start" // (id, argument i32) -> ()
	spawnType     = "(i32) -> i32"
	startType     = "(i32, i32)"
	maxThreadID   = 1<<29 - 1
)

// DefaultMaxThreads is how many threads a guest may have besides its first.
const DefaultMaxThreads = 64

// Threads reports whether the module can start threads.
func (m *Module) Threads() bool { return m.threads }

// spawns reports whether the module imports the function that starts threads.
func (m *Module) spawns() bool {
	for _, def := range m.compiled.ImportedFunctions() {
		module, name, _ := def.Import()
		if module == threadsModule && name == threadSpawn &&
			signature(def.ParamTypes(), def.ResultTypes()) == spawnType {
			return true
		}
	}
	return false
}

// checkThreads says why a module that starts threads cannot.
func (m *Module) checkThreads() error {
	switch start, ok := m.exported[threadStart]; {
	case !m.interrupted:
		return errors.New("the module starts threads, which must not run without being " +
			"interrupted: they could hold up each other for ever")
	case !m.memory.Imported || !m.memory.Shared:
		return errors.New("the module starts threads, but has no memory that they could share; " +
			"link it with --import-memory, --shared-memory and --max-memory")
	case !ok:
		return fmt.Errorf("the module starts threads, but exports no %s%s for them to begin with",
			threadStart, startType)
	case signature(start.ParamTypes(), nil) != startType:
		return fmt.Errorf("the module exports %s with the type %s, not %s", threadStart,
			signature(start.ParamTypes(), start.ResultTypes()),
			startType)
	}
	return nil
}

// guest is what is running of a module: one or more threads, each in an instance of its own, which
// end together.
type guest struct {
	module *Module
	world  *system.Guest
	trace  io.Writer
	ctx    context.Context // what instances are made under
	memory *memory.Memory  // each thread holds a reference; nil if there can be but one
	shared []byte          // see abi.Thread
	waits  futex.Table
	most   int // threads besides the first
	budget *memory.Budget

	left    chan struct{} // gets something when a thread has ended
	mu      sync.Mutex
	ids     map[uint32]struct{} // of the threads that run, but for the first
	last    uint32              // id that was given
	over    bool                // no more threads
	spawned sync.WaitGroup
}

// thread is a thread of a guest as the engine's own functions see it.
type thread struct {
	*abi.Caller
	guest  *guest
	waiter *futex.Waiter

	charged uint64 // to the guest's budget, on behalf of this thread
	stack   uint32 // the limit of its stack
}

type threadKey struct{}

// threadOf is the thread that calls.
func threadOf(ctx context.Context) *thread {
	t, _ := ctx.Value(threadKey{}).(*thread)
	if t == nil {
		panic(abi.ErrNoCaller)
	}
	return t
}

// run makes an instance for a thread, which has been charged to the budget, and calls it.
func (g *guest) run(trace io.Writer, call func(context.Context, api.Module) error) error {
	st := g.world.NewThread(g.module.scheduler)
	defer st.Close()
	t := &thread{Caller: abi.NewCaller(st, trace), guest: g, waiter: futex.NewWaiter(),
		charged: g.module.threadNeeds(), stack: firstStack}
	defer func() { g.budget.Give(t.charged) }()
	t.Shared = g.shared
	ctx := abi.WithCaller(context.WithValue(g.ctx, threadKey{}, t), t.Caller)
	inst, err := g.module.runtime.InstantiateModule(ctx, g.module.compiled, anonymous)
	if err != nil {
		return g.ended(err, "starting the guest: ")
	}
	defer inst.Close(ctx)
	if err := call(ctx, inst); err != nil {
		return g.module.explain(inst, g.ended(err, ""))
	}
	return nil
}

// leaving is how long a thread that wants to start another waits for one to end, if there are as
// many as there may be: one that has told the others that it is over is so only a moment after.
const leaving = 10 * time.Millisecond

// spawn starts a thread that gets the argument, on behalf of another. It returns the new thread's
// id, or a negative number: the guest has as many threads as it may have.
func (g *guest) spawn(t *thread, argument uint32) int32 {
	id, ok := g.begin(argument)
	for deadline := time.Now().Add(leaving); !ok && g.most > 0; id, ok = g.begin(argument) {
		if t.Sleep(g.left, max(time.Until(deadline), 0)) != nil {
			break
		}
	}
	if !ok {
		g.noteRefused()
		return -int32(wasi.EAGAIN)
	}
	return int32(id)
}

// noteRefused tells that no further thread could be started, if that was for their number.
func (g *guest) noteRefused() {
	g.mu.Lock()
	full := !g.over && len(g.ids) >= g.most
	g.mu.Unlock()
	if full {
		g.world.RefusedBy("threads", max(g.most, 0))
	}
}

// begin starts a thread if there are not too many, and what it needs is within the guest's budget.
func (g *guest) begin(argument uint32) (id uint32, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over || len(g.ids) >= g.most || !g.budget.Take(g.module.threadNeeds()) {
		return 0, false
	}
	for taken := true; taken; _, taken = g.ids[g.last] {
		g.last = g.last%maxThreadID + 1
	}
	id = g.last
	g.ids[id] = struct{}{}
	g.memory.Retain()
	g.spawned.Go(func() {
		defer g.memory.Release() // its last call has returned, and its instance is closed
		err := g.run(g.traceOf(id), func(ctx context.Context, inst api.Module) error {
			_, err := inst.ExportedFunction(threadStart).Call(ctx, uint64(id), uint64(argument))
			return err
		})
		if err != nil {
			g.world.Kill(err)
		}
		g.leave(id)
	})
	return id, true
}

func (g *guest) leave(id uint32) {
	g.mu.Lock()
	delete(g.ids, id)
	g.mu.Unlock()
	select {
	case g.left <- struct{}{}:
	default:
	}
}

// wait waits for the end of all threads that were spawned.
func (g *guest) wait() {
	g.mu.Lock()
	g.over = true
	g.mu.Unlock()
	g.spawned.Wait()
}

// spawnGarbage is how many bytes an instance and its call leave to the garbage collector.
const spawnGarbage = 32 << 10

// spawnThread is thread-spawn.
func spawnThread(ctx context.Context, _ api.Module, stack []uint64) {
	t := threadOf(ctx)
	t.Tick() // a guest could live of threads that are too short for one
	t.Garbage(spawnGarbage)
	stack[0] = uint64(uint32(t.guest.spawn(t, uint32(stack[0]))))
	if err := t.Err(); err != nil {
		panic(err)
	}
}
