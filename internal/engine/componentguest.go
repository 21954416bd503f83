package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasport/wasport/internal/abi"
	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/component/link"
	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/engine/memory"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi2"
)

// componentGuest is a running guest of a component. The goroutine that runs it alone uses it.
//
// Core instances are made in the order of the program. Everything else is made when it is first
// called: a core module cannot call a function before its step, since it gets the function from a
// step that comes later still.
type componentGuest struct {
	*Component
	inst   *instance
	thread *thread

	// linear is the part of the budget that is for linear memory, of all core instances together.
	// It has mostMemory bytes, which each memory reserves: a component may have hundreds.
	linear     *memory.Budget
	mostMemory uint64

	memories []*memory.Memory

	// cores are the core instances, by their index in program.Cores. The last of them may be
	// starting: its module is nil then.
	cores     []coreInstance
	instances []*canon.Instance
	canon     canon.Guest
	host      *wasi2.Guest // canon.Host

	// functions are the core functions that the host calls, by their origin.
	functions map[link.CoreItem]*coreFunction
	stacks

	// lowered and lifted are by the index in program.Hosts and program.Funcs.
	lowered []loweredHost
	lifted  []*canon.Lifted

	// answers are those of the component instances that have written to a stream. ready is the one
	// that knows a handle, or nil.
	answers []*answers
	ready   *answers
}

// loweredHost is a function of the host in a guest. core is nil until it is called. direct is the
// same if package wasi2 has a direct form, which charges for the call and returns the reason of the
// guest's end by itself; else nil. answers is set for a write after which the guest may know the
// answers of other functions.
type loweredHost struct {
	core    canon.Core
	direct  *canon.Lowered
	answers *answers
}

// coreInstance is an instance of a core module. module is nil while its start function runs.
type coreInstance struct {
	module api.Module
	code   *coreModule

	// stackLimit is the estimated stack size that has been charged, in bytes.
	stackLimit uint32
}

// guestContext is the context of all calls into a component guest, by which its host functions find
// the guest.
type guestContext struct {
	context.Context
	guest *componentGuest

	// absent is the key that was last looked up without success. wazero looks one up in each call
	// of the guest, and values never change. Any goroutine may call Value.
	absent atomic.Pointer[any]
}

type guestKey struct{}

func (c *guestContext) Value(key any) any {
	if absent := c.absent.Load(); absent != nil && *absent == key {
		return nil
	}
	if key == (guestKey{}) {
		return c.guest
	}
	value := c.Context.Value(key)
	if value == nil {
		missed := key // a variable of its own, since it is allocated
		c.absent.Store(&missed)
	}
	return value
}

// callingGuest returns the guest that calls a host function with ctx.
func callingGuest(ctx context.Context) *componentGuest {
	if c, ok := ctx.(*guestContext); ok { // the fast path, without a search for the key
		return c.guest
	}
	g, _ := ctx.Value(guestKey{}).(*componentGuest)
	if g == nil {
		panic(abi.ErrNoCaller)
	}
	return g
}

// Run runs one guest: it makes the instances of the component and calls the function run of
// wasi:cli/run, on the calling goroutine. Entry and args are those of Entry. An error of run is a
// *system.Exit with status 1. For trace and the other errors see Module.Run.
func (c *Component) Run(sys *system.Guest, trace io.Writer, _ *Entry, _ []uint64,
	limits Limits) ([]uint64, error) {
	g := c.newGuest(sys, trace, limits.Memory)
	if !g.inst.budget.Take(c.cost()) {
		return nil, errBudgetTooSmall("component", c.cost(), limits.Memory)
	}
	if !c.engine.uses.acquire() {
		return nil, errEngineClosed
	}
	defer c.engine.uses.release()
	if !c.uses.acquire() {
		return nil, errClosed
	}
	defer c.uses.release()
	err := g.run()
	if err == nil {
		err = errEntryReturned
	}
	sys.Kill(err)
	if err = sys.Err(); err != errEntryReturned {
		return nil, err
	}
	return nil, nil
}

func (c *Component) newGuest(
	sys *system.Guest, trace io.Writer, memoryLimit uint64,
) *componentGuest {
	g := &componentGuest{Component: c, inst: &instance{lines: c.lines, sys: sys, trace: trace},
		functions: make(map[link.CoreItem]*coreFunction),
		lowered:   make([]loweredHost, len(c.hosts)),
		lifted:    make([]*canon.Lifted, len(c.lifted))}
	g.limitMemory(memoryLimit)
	return g
}

// limitMemory makes the guest's budget, and the one for linear memory in it. 0 means no limit.
func (g *componentGuest) limitMemory(limit uint64) {
	g.mostMemory = maxMemory
	if limit != 0 {
		g.mostMemory = min(limit, maxMemory)
	}
	g.inst.budget.Init(budgetFor(limit))
	g.linear = memory.NewBudget(g.mostMemory)
	if limit != 0 {
		g.linear.Refused = func() { g.inst.sys.ReportLimit("memory", int(min(limit, math.MaxInt))) }
		g.inst.budget.Refused = g.linear.Refused
	}
	g.linear.Within = &g.inst.budget
}

// cost is the charge for the thread of a guest and for its instances, in bytes.
func (c *Component) cost() uint64 {
	cost := uint64(threadOverhead)
	for _, core := range c.program.Cores {
		cost += c.cores[core.Module].needs.Instance + instanceOverhead
	}
	return cost + uint64(len(c.hosts))*hostFunctionSize
}

const (
	// instanceOverhead is the size of a core instance without what its module declares, in bytes.
	instanceOverhead = 4 << 10

	// hostFunctionSize is the size of a function of the host that has been called, in bytes.
	hostFunctionSize = 512
)

func (g *componentGuest) run() error {
	sysThread := g.inst.sys.NewThread(g.engine.scheduler)
	defer sysThread.Close()
	defer func() { g.inst.budget.Give(g.thread.charged) }()
	if err := g.prepare(sysThread); err != nil {
		return err
	}
	ctx := &guestContext{Context: experimental.WithImportResolver(g.inst.sys.Context(), g.resolve),
		guest: g}
	defer g.close(ctx)
	err := g.call(ctx)
	if err == nil || isExit(err) {
		g.host.Finish()
	}
	return err
}

// prepare makes the thread, the guest of package wasi2 and the component instances.
func (g *componentGuest) prepare(sysThread *system.Thread) error {
	g.thread = &thread{inst: g.inst, component: g, charged: g.cost()}
	g.thread.Init(sysThread, nil)
	host, err := wasi2.NewGuest(sysThread)
	if err != nil {
		return err
	}
	g.host, g.canon.Host, g.canon.Copied = host, host, func(bytes int) {
		sysThread.ChargeSteps(bytes >> 15)
		sysThread.ChargeGarbage(bytes)
	}
	g.canon.Budget, host.Memory = &g.inst.budget, &g.inst.budget
	for i, c := range g.program.Components {
		var parent *canon.Instance
		if c.Parent >= 0 {
			parent = g.instances[c.Parent]
		}
		g.instances = append(g.instances, g.canon.NewInstance(i+1, parent))
	}
	return nil
}

// call makes the instances and calls run.
func (g *componentGuest) call(ctx *guestContext) error {
	if err := g.instantiate(ctx); err != nil {
		return err
	}
	result, err := g.liftedFunction(g.program.Run).Call(ctx, nil)
	if err != nil {
		return g.endError(err)
	}
	if result.Case() != 0 {
		return &system.Exit{Code: 1}
	}
	return nil
}

// resolve returns the module that a core module imports from, by the names that package link gave.
func (g *componentGuest) resolve(name string) api.Module {
	if m, ok := g.hostModules[name]; ok {
		return m.Module
	}
	if i, err := strconv.Atoi(name); err == nil && i < len(g.cores) && g.cores[i].module != nil {
		return g.cores[i].module
	}
	return g.engine.emptyModule
}

// instantiate makes the core instances in order. Their start functions run here.
func (g *componentGuest) instantiate(ctx *guestContext) error {
	for _, core := range g.program.Cores {
		code := &g.Component.cores[core.Module]
		g.cores = append(g.cores, coreInstance{code: code, stackLimit: initialStackLimit})
		with, err := g.withMemory(ctx, code)
		if err != nil {
			return err
		}
		mod, err := g.engine.runtime.InstantiateModule(with, code.compiled, anonymousConfig)
		if err != nil {
			err = g.coreError(len(g.cores)-1, err)
			if _, ok := err.(*Trap); ok || g.inst.sys.Err() != nil || isExit(err) {
				return err
			}
			return fmt.Errorf("starting the guest: %s: %w", code.name, err)
		}
		g.cores[len(g.cores)-1].module = mod
	}
	return nil
}

func isExit(err error) bool {
	var exit *system.Exit
	return errors.As(err, &exit)
}

// withMemory reserves the memory that a core module defines, and returns the context that gives the
// memory to its instance.
func (g *componentGuest) withMemory(ctx *guestContext, code *coreModule) (context.Context, error) {
	needs := code.needs.Memory
	if needs == (interrupt.Memory{}) || needs.Imported {
		return ctx, nil
	}
	mem, err := memory.New(memory.Config{Min: needs.Min, Max: needs.Max, Limit: g.mostMemory,
		Reserve: g.engine.reserveMemory, Pool: g.engine.memoryPool(g.inst.sys),
		Shift:  code.memoryShift,
		Hot:    code.hotMemory,
		Budget: g.linear})
	if errors.Is(err, memory.ErrLimit) {
		return nil, &system.MisfitError{Err: fmt.Errorf("%s starts with %d bytes of memory, which "+
			"are more than the guest may have", code.name, needs.Min), Memory: true}
	}
	if err != nil {
		return nil, err
	}
	g.memories = append(g.memories, mem)
	return &guestContext{Context: experimental.WithMemoryAllocator(ctx.Context, mem), guest: g}, nil
}

// close releases the instances in reverse order, since the later ones use the earlier ones, and the
// memories after them. No call of the guest is under way.
func (g *componentGuest) close(ctx context.Context) {
	for _, core := range slices.Backward(g.cores) {
		if core.module != nil {
			core.module.Close(ctx)
		}
	}
	for _, m := range g.memories {
		m.Release()
	}
}
