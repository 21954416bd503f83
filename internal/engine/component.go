package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tetratelabs/wazero"

	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/component/link"
	"github.com/wasport/wasport/internal/engine/interrupt"
	"github.com/wasport/wasport/internal/printable"
)

// Component is a compiled component (component model, Binary.md). Any number of guests can run from
// it at the same time.
type Component struct {
	uses    useCount
	engine  *Engine
	program *link.Program

	// cores are the compiled core modules, by their index in program.Modules.
	cores []coreModule

	// hosts are the functions that core modules import, by their index in program.Hosts.
	hosts []hostFunc

	// lines tells the source lines of cores. Those without DWARF have nil.
	lines []*sourceLines

	// lifted are the signatures of program.Funcs.
	lifted []*canon.Signature

	// resources are those of program.Resources that the host defines; nil for the others.
	resources []*canon.HostResource

	// hostModules supply interrupt.Module and link.HostModule to every core module.
	hostModules hostModules
}

// coreModule is a core module of a component.
type coreModule struct {
	compiled wazero.CompiledModule
	needs    interrupt.Needs

	// name names the module in messages and in stack traces. size is in bytes.
	name string
	size int

	stack stackPointer

	// placement is that of the memory that the module defines.
	placement

	// maxStack is the limit of the estimated stack size, in bytes.
	maxStack uint32
}

func (e *Engine) compileComponent(
	ctx context.Context, b []byte, o CompileOptions,
) (*Component, error) {
	decoded, err := binary.Decode(b)
	if err != nil {
		return nil, printable.Error(err)
	}
	program, err := link.Plan(decoded, world, o.TrapUnknown)
	if err != nil {
		return nil, componentError(err)
	}
	c := &Component{engine: e, program: program}
	if err := c.compile(ctx); err != nil {
		c.release(ctx)
		return nil, err
	}
	return c, nil
}

func (c *Component) compile(ctx context.Context) error {
	total := 0
	for _, core := range c.program.Cores {
		total += c.program.Modules[core.Module].Code
	}
	for i := range c.program.Modules {
		m := &c.program.Modules[i]
		core, err := c.compileCore(ctx, m)
		if err != nil {
			return fmt.Errorf("%s: %w", coreModuleName(m), err)
		}
		core.maxStack = maxCoreStack(m.Code, total)
		c.cores = append(c.cores, core)
		m.Binary = nil // It is compiled, and nothing else needs it.
	}
	if err := c.resolveHosts(); err != nil {
		return err
	}
	return c.instantiateHostModules(ctx)
}

// compileCore makes the next core module interruptible, and compiles it.
func (c *Component) compileCore(ctx context.Context, m *link.Module) (coreModule, error) {
	core := coreModule{name: coreModuleName(m), size: len(m.Binary)}
	for _, mem := range m.Memories {
		if mem.Shared {
			return core, errors.New("a memory that threads share, which components cannot have")
		}
	}
	var options *interrupt.Options
	if !c.engine.noInterrupt {
		options = &interrupt.Options{Interval: c.engine.tickInterval, Stack: initialStackLimit,
			Charge: true, Name: core.name}
		c.lines = append(c.lines, newSourceLines(m.Binary, options, len(c.lines)))
	}
	compiled, err := c.engine.compileCached(ctx, m.Binary, options)
	if err != nil {
		return core, err
	}
	core.compiled, core.needs = compiled.CompiledModule, compiled.needs
	core.needs.Memory.Max = min(core.needs.Memory.Max, maxMemory)
	core.stack.find(compiled.binary)
	core.placement = placementOf(m.Binary)
	return core, nil
}

// maxCoreName bounds the name of a core module, in bytes.
const maxCoreName = 100

// coreModuleName is the name of a core module in messages: its own, or else its number.
func coreModuleName(m *link.Module) string {
	if m.Name == "" || len(m.Name) > maxCoreName {
		return fmt.Sprintf("core module %d", m.Number)
	}
	return printable.Name(m.Name)
}

// componentError converts an error of decoding or planning.
func componentError(err error) error {
	var missing *link.ImportError
	if !errors.As(err, &missing) {
		return printable.Error(err)
	}
	list := make([]Import, 0, len(missing.Lacking))
	for _, l := range missing.Lacking {
		i := Import{Module: l.Interface, Name: l.Item, Want: l.Want, Have: l.Have, Reason: l.Reason}
		switch {
		case l.Item == "":
			i.Want = kindInterface
		case l.Want == "":
			i.Want = kindType
		}
		list = append(list, i)
	}
	return &ImportError{list}
}

// CachePaths returns Engine.CachePaths of the component's engine.
func (c *Component) CachePaths() (dir, keyDir string) { return c.engine.CachePaths() }

// Close releases the component once no guest of it runs. It does not wait for them.
func (c *Component) Close(ctx context.Context) error {
	return c.uses.close(func() error { return c.release(ctx) })
}

func (c *Component) release(ctx context.Context) error {
	errs := []error{c.hostModules.close(ctx)}
	for _, core := range slices.Backward(c.cores) {
		if core.compiled != nil {
			errs = append(errs, core.compiled.Close(ctx))
		}
	}
	return errors.Join(errs...)
}
