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
	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
)

// The interface of modules with threads. Source: wasi-threads, wasi-threads.abi.md.
const (
	threadsModule = "wasi"
	threadSpawn   = "thread-spawn"      // Import: (argument i32) -> (id i32).
	threadStart   = "wasi_thread_start" // Export: (id, argument i32) -> ().
	spawnType     = "(i32) -> i32"
	startType     = "(i32, i32)"
	maxThreadID   = 1<<29 - 1
)

// DefaultMaxThreads is the default limit of a guest's threads besides the first.
const DefaultMaxThreads = 64

// Threads reports whether the module can start threads.
func (m *Module) Threads() bool { return m.usesThreads }

// importsThreadSpawn reports whether the module imports thread-spawn.
func (m *Module) importsThreadSpawn() bool {
	for _, def := range m.compiled.ImportedFunctions() {
		module, name, _ := def.Import()
		if module == threadsModule && name == threadSpawn &&
			signature(def.ParamTypes(), def.ResultTypes()) == spawnType {
			return true
		}
	}
	return false
}

// checkThreads returns an error if a module that imports thread-spawn cannot run with threads.
func (m *Module) checkThreads() error {
	switch start, ok := m.exportedFuncs[threadStart]; {
	case !m.interruptible:
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
			signature(start.ParamTypes(), start.ResultTypes()), startType)
	}
	return nil
}

// instance is one running guest: one or more threads, which end together. Each thread has a wazero
// instance of its own, and all of them have the same linear memory.
type instance struct {
	// module is nil for a component.
	module *Module
	lines  []*sourceLines // By the number in interrupt.Options.Lines.
	sys    *system.Guest
	trace  io.Writer
	// ctx is the parent context in which the threads' wazero instances are made. It is nil once a
	// module that starts no threads has its instance.
	ctx context.Context

	// closeProvider closes the module that supplies an imported memory; nil if there is none.
	closeProvider func()

	// memory is referenced once by each thread if it is shared. It is nil if the module has none,
	// or was not rewritten.
	memory *memory.Memory

	// sharedMemory is the whole of memory; see abi.Caller.
	sharedMemory []byte
	futexes      futex.Table
	budget       memory.Budget

	// maxThreads bounds the threads besides the first.
	maxThreads int

	// threadExited receives an element after a thread has ended. It has room for one; a thread that
	// finds it full does not wait. It is nil of a module that starts no threads, as runningIDs is.
	threadExited   chan struct{}
	spawnedThreads sync.WaitGroup

	// mu protects the fields below.
	mu sync.Mutex

	// runningIDs are the ids of the running threads, without the first.
	runningIDs map[uint32]struct{}

	// lastID is the last id that was assigned.
	lastID uint32

	// closed is set once the first thread has ended. No thread starts from then on.
	closed bool
}

// thread is a thread of a guest, as the engine's own host functions see it. Its goroutine alone
// uses it.
type thread struct {
	abi.Caller
	inst   *instance
	waiter futex.Waiter

	// charged is the part of the guest's budget that is given back when this thread ends, in bytes.
	charged uint64

	// stackLimit is the estimated stack size that has been charged, in bytes.
	stackLimit uint32

	// component is the guest if it is one of a component, else nil. It has limits of its own then.
	component *componentGuest

	// mod is the thread's wazero instance, and ctx the context with which its functions are called:
	// the host functions find the thread in it.
	mod api.Module
	ctx abi.Context

	calls callStacks
	embedderCall

	// hostCalls is the number of calls of the embedder's functions under way.
	hostCalls int
}

// callingThread returns the thread that calls a host function with ctx.
func callingThread(ctx context.Context) *thread {
	if c, ok := ctx.(*guestContext); ok {
		return c.guest.thread
	}
	if c := abi.ContextOf(ctx); c != nil {
		return c.Thread.(*thread)
	}
	return callingGuest(ctx).thread
}

// runThread makes a thread, and has call run it. The caller has charged threadCost to the budget;
// runThread gives it back.
func (inst *instance) runThread(trace io.Writer, call func(*thread) error) error {
	t, err := inst.openThread(trace)
	if err != nil {
		return err
	}
	defer t.close()
	return call(t)
}

// openThread makes a thread with a wazero instance, which runs the module's start function. The
// caller has charged threadCost to the budget; close gives it back, and a failure does.
func (inst *instance) openThread(trace io.Writer) (_ *thread, err error) {
	sysThread := inst.sys.NewThread(inst.module.scheduler)
	t := &thread{inst: inst, charged: inst.module.threadCost(), stackLimit: initialStackLimit}
	t.Init(sysThread, trace)
	t.Shared = inst.sharedMemory
	t.ctx = t.contextIn(inst.ctx)
	defer func() {
		if t.mod == nil { // also if the embedder's code has ended the goroutine
			t.close()
		}
	}()
	m := inst.module
	t.mod, err = m.runtime.InstantiateModule(&t.ctx, m.compiled, anonymousConfig)
	if err != nil {
		t.mod = nil
		return nil, inst.exitError(err, "starting the guest: ")
	}
	if t.ctx.Context = inst.sys.Context(); !m.usesThreads {
		inst.ctx = nil
	}
	return t, nil
}

// contextIn returns a context with which the guest's functions can be called.
func (t *thread) contextIn(ctx context.Context) abi.Context {
	return abi.Context{Context: ctx, Caller: &t.Caller, Thread: t}
}

// close ends the thread.
func (t *thread) close() {
	if t.mod != nil {
		t.mod.Close(&t.ctx)
	}
	t.inst.budget.Give(t.charged)
	t.Caller.Thread.Close()
}

// threadExitGrace is the time that thread-spawn waits for a thread to end when the limit is
// reached. A thread that the guest has joined may still be ending: it wakes its joiner before it
// leaves the guest.
const threadExitGrace = 10 * time.Millisecond

// spawn starts a thread with the argument, on behalf of its parent. It returns the new thread's id,
// or a negative number (wasi-threads.abi.md), -EAGAIN, if the limit of threads or the budget is
// reached.
func (inst *instance) spawn(parent *thread, argument uint32) int32 {
	id, ok := inst.startThread(argument)
	deadline := time.Now().Add(threadExitGrace)
	for !ok && inst.maxThreads > 0 {
		if parent.Sleep(inst.threadExited, max(time.Until(deadline), 0)) != nil {
			break
		}
		id, ok = inst.startThread(argument)
	}
	if !ok {
		inst.reportThreadLimit()
		return -int32(wasi.EAGAIN)
	}
	return int32(id)
}

// reportThreadLimit reports a refused thread to the guest's counters, if the limit of threads was
// the reason.
func (inst *instance) reportThreadLimit() {
	inst.mu.Lock()
	atLimit := !inst.closed && len(inst.runningIDs) >= inst.maxThreads
	inst.mu.Unlock()
	if atLimit {
		inst.sys.ReportLimit("threads", max(inst.maxThreads, 0))
	}
}

// startThread starts a thread. It reports false if the limit of threads or the budget is reached,
// or if the first thread has ended.
func (inst *instance) startThread(argument uint32) (id uint32, ok bool) {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	if inst.closed || len(inst.runningIDs) >= inst.maxThreads {
		return 0, false
	}
	if !inst.budget.Take(inst.module.threadCost()) {
		return 0, false
	}
	for taken := true; taken; _, taken = inst.runningIDs[inst.lastID] {
		inst.lastID = inst.lastID%maxThreadID + 1
	}
	id = inst.lastID
	inst.runningIDs[id] = struct{}{}
	inst.memory.Retain()
	inst.spawnedThreads.Go(func() {
		// runThread returns after the thread's last call. No other use of the memory follows it.
		defer inst.memory.Release()
		defer inst.removeThread(id)
		start := func(t *thread) error {
			_, err := t.invoke(threadStart, []uint64{uint64(id), uint64(argument)})
			return err
		}
		outside.Protect("a host function", func() {
			if err := inst.runThread(inst.threadTrace(id), start); err != nil {
				inst.sys.Kill(err)
			}
		}, inst.sys.KillForPanic)
	})
	return id, true
}

func (inst *instance) removeThread(id uint32) {
	inst.mu.Lock()
	delete(inst.runningIDs, id)
	inst.mu.Unlock()
	select {
	case inst.threadExited <- struct{}{}:
	default:
	}
}

// waitThreads keeps further threads from starting, and waits until all have ended.
func (inst *instance) waitThreads() {
	inst.mu.Lock()
	inst.closed = true
	inst.mu.Unlock()
	inst.spawnedThreads.Wait()
}

// threadGarbage is the garbage that a thread's wazero instance and call leave, in bytes.
const threadGarbage = 32 << 10

// spawnThread is thread-spawn.
func spawnThread(ctx context.Context, _ api.Module, stack []uint64) {
	t := callingThread(ctx)
	t.Tick() // A guest of many threads that are shorter than an interval never ticks otherwise.
	t.ChargeGarbage(threadGarbage)
	stack[0] = uint64(uint32(t.inst.spawn(t, uint32(stack[0]))))
	if err := t.Err(); err != nil {
		panic(err)
	}
}
