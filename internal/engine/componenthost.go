package engine

import (
	"context"
	"errors"
	"strconv"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/component/link"
	"github.com/wasport/wasport/internal/component/wit"
	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/wasi2"
)

// world has the interfaces of WASI 0.2.
var world wasi2.World

// hostFunc is a function that core modules of a component import, without the state of a guest.
type hostFunc struct {
	// signature and function are those of a lowered function. function is nil if that belongs to
	// another component instance.
	signature *canon.Signature
	function  *canon.HostFunc

	// builtin is set for a built-in function instead.
	builtin *canon.BuiltinRow
}

// The opcodes of the built-in functions (component model, Binary.md, "Canonical Definitions").
var builtinOpcodes = map[link.HostKind]byte{
	link.HostResourceNew: 2, link.HostResourceDrop: 3, link.HostResourceRep: 4,
}

// resolveHosts prepares the functions of the program.
func (c *Component) resolveHosts() error {
	for i := range c.program.Hosts {
		h := &c.program.Hosts[i]
		var f hostFunc
		var err error
		switch h.Kind {
		case link.HostImport, link.HostLifted:
			if h.Kind == link.HostImport {
				f.function = world.Function(h.Interface, h.Func)
			}
			f.signature, err = canon.NewSignature(h.Type)
		case link.HostMissing:
		default:
			f.builtin, _ = canon.LookupBuiltin(builtinOpcodes[h.Kind])
		}
		if err != nil {
			return err
		}
		c.hosts = append(c.hosts, f)
	}
	for _, r := range c.program.Resources {
		var host *canon.HostResource
		if r.Component < 0 {
			host = world.HostResource(r.Type)
		}
		c.resources = append(c.resources, host)
	}
	for i := range c.program.Funcs {
		s, err := canon.NewSignature(c.program.Funcs[i].Type)
		if err != nil {
			return err
		}
		c.lifted = append(c.lifted, s)
	}
	return nil
}

// instantiateHostModules makes the two modules that core modules import functions of the host from:
// interrupt.Module, and link.HostModule. All guests share them.
func (c *Component) instantiateHostModules(ctx context.Context) error {
	interrupts := c.engine.runtime.NewHostModuleBuilder(interrupt.Module)
	for _, f := range []struct {
		name            string
		call            api.GoModuleFunc
		params, results int
	}{
		{interrupt.Tick, tick, 0, 1},
		{interrupt.Stack, interruptFuncs[interrupt.Stack], 0, 0},
		{interrupt.Deepen, growStackLimit, 1, 1},
		{interrupt.Charge, chargeHostMemory, 2, 1},
	} {
		i32 := []api.ValueType{api.ValueTypeI32, api.ValueTypeI32}
		interrupts.NewFunctionBuilder().
			WithGoModuleFunction(f.call, i32[:f.params], i32[:f.results]).Export(f.name)
	}
	hosts := c.engine.runtime.NewHostModuleBuilder(link.HostModule)
	for i := range c.program.Hosts {
		core := &c.program.Hosts[i].Core
		hosts.NewFunctionBuilder().
			WithGoFunction(hostNumber(i), coreTypes(core.Params), coreTypes(core.Results)).
			WithName(c.hostName(i)).Export(strconv.Itoa(i))
	}
	builders := map[string]wazero.HostModuleBuilder{interrupt.Module: interrupts}
	if len(c.program.Hosts) > 0 {
		builders[link.HostModule] = hosts
	}
	var err error
	c.hostModules, err = c.engine.instantiateHostModules(ctx, builders)
	return err
}

// coreTypes converts types to wazero's, which are the bytes of the binary format too.
func coreTypes(types []wit.CoreType) []api.ValueType {
	list := make([]api.ValueType, len(types))
	for i, t := range types {
		list[i] = api.ValueType(t)
	}
	return list
}

// hostName is the name of a host function in stack traces.
func (c *Component) hostName(i int) string {
	h := &c.program.Hosts[i]
	switch h.Kind {
	case link.HostImport, link.HostMissing:
		return h.Interface + "." + h.Func
	case link.HostLifted:
		return "a function of another component"
	}
	return c.hosts[i].builtin.Name
}

// hostNumber is the function of the host with a number, in the form that wazero calls. A closure
// would need two frames more on the stack of each guest.
type hostNumber int

// Call implements api.GoFunction.
func (i hostNumber) Call(ctx context.Context, stack []uint64) {
	g := callingGuest(ctx)
	h := &g.lowered[i]
	var err error
	switch {
	case h.answers != nil:
		err = h.answers.write(ctx, g, h.direct, stack)
	case h.direct != nil:
		g.forgetReady()
		err = h.direct.Call(ctx, stack)
	default:
		g.forgetReady()
		err = g.callHost(ctx, int(i), stack)
	}
	if err != nil {
		panic(g.panicValue(err))
	}
}

// callHost calls a function of the host, one without a direct form or one that has not been called.
func (g *componentGuest) callHost(ctx context.Context, i int, stack []uint64) error {
	err := g.hostCore(i).Call(ctx, stack)
	if g.hosts[i].function == nil {
		g.thread.ChargeSteps(1) // A function of wasi2 does so itself.
	}
	if cause := g.thread.Err(); cause != nil {
		return cause
	}
	return err
}

// panicValue returns the value of the panic by which wazero unwinds the guest's stack: a *Trap, a
// *system.Exit or the reason of the guest's end pass through the calls of other core instances that
// are in between.
func (g *componentGuest) panicValue(err error) error {
	if cause := g.thread.Err(); cause != nil {
		return cause
	}
	if trap := (*canon.Trap)(nil); errors.As(err, &trap) {
		return guestFault{trap}
	}
	return err
}

// hostCore returns the function of the host with a number in this guest.
func (g *componentGuest) hostCore(i int) canon.Core {
	h := &g.lowered[i]
	if h.core == nil {
		h.core = g.newHostCore(&g.program.Hosts[i], &g.hosts[i])
		if l, ok := h.core.(*canon.Lowered); ok && l.Host != nil && l.Host.Direct != nil {
			h.direct, h.answers = l, g.answersFor(&g.program.Hosts[i])
		}
	}
	return h.core
}

func (g *componentGuest) newHostCore(h *link.Host, f *hostFunc) canon.Core {
	switch h.Kind {
	case link.HostMissing:
		return missingFunction{h}
	case link.HostImport:
		lowered := &canon.Lowered{Signature: f.signature, Host: f.function,
			Options: g.options(h.Component, &h.Options)}
		if g.inst.trace != nil {
			return &tracedFunction{lowered, g.inst.trace, h.Func}
		}
		return lowered
	case link.HostLifted:
		return &canon.Lowered{Signature: f.signature, Target: g.liftedFunction(h.Lifted),
			Options: g.options(h.Component, &h.Options)}
	}
	builtin := &canon.Builtin{Row: f.builtin, Instance: g.instances[h.Component],
		Resource: g.resource(h.Resource)}
	if g.inst.trace != nil && h.Kind == link.HostResourceDrop && builtin.Resource.Host != nil {
		return &tracedDrop{builtin, g.inst.trace}
	}
	return builtin
}

// resource returns a resource type of the program in this guest.
func (g *componentGuest) resource(i int) *canon.Resource {
	r := &g.program.Resources[i]
	if r.Component < 0 {
		return &canon.Resource{Type: r.Type, Host: g.resources[i]}
	}
	return &canon.Resource{Type: r.Type, Definer: g.instances[r.Component],
		Destructor: g.function(r.Destructor)}
}

// missingFunction stands for a function that the host does not have.
type missingFunction struct{ host *link.Host }

func (f missingFunction) Call(context.Context, []uint64) error {
	return canon.Trapf("called %s.%s, which the host does not have", f.host.Interface, f.host.Func)
}
