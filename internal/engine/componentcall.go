package engine

import (
	"errors"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/abi"
	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/component/link"
	"github.com/wasport/wasport/internal/printable"
)

// function returns the core function of an origin. It is nil for a nil item.
func (g *componentGuest) function(item *link.CoreItem) canon.Core {
	switch {
	case item == nil:
		return nil
	case item.Core < 0:
		return g.hostCore(item.Host)
	}
	f, ok := g.functions[*item]
	if !ok {
		f = &coreFunction{guest: g, core: item.Core, name: item.Name}
		g.functions[*item] = f
	}
	return f
}

// coreMemory is a memory of a guest, for the canonical ABI. view is the whole of it at the last
// call.
type coreMemory struct {
	memory api.Memory
	view   []byte
}

// View implements canon.Memory.
func (m *coreMemory) View() []byte {
	// A memory moves only as it grows.
	if size := m.memory.Size(); size == 0 || int64(size) != int64(len(m.view)) {
		m.view = abi.View(m.memory)
	}
	return m.view
}

func (g *componentGuest) memory(item *link.CoreItem) canon.Memory {
	if item == nil {
		return nil
	}
	return &coreMemory{memory: g.cores[item.Core].module.ExportedMemory(item.Name)}
}

func (g *componentGuest) options(component int, o *link.Options) canon.Options {
	return canon.Options{
		Instance: g.instances[component], Encoding: canon.Encoding(o.Encoding),
		Memory: g.memory(o.Memory), Realloc: g.function(o.Realloc),
		PostReturn: g.function(o.PostReturn),
	}
}

func (g *componentGuest) liftedFunction(i int) *canon.Lifted {
	if g.lifted[i] == nil {
		f := &g.program.Funcs[i]
		g.lifted[i] = &canon.Lifted{Signature: g.Component.lifted[i],
			Options: g.options(f.Component, &f.Options), Core: g.function(&f.Func)}
	}
	return g.lifted[i]
}

// endError converts an error of the canonical ABI to one of Run's.
func (g *componentGuest) endError(err error) error {
	if cause := g.inst.sys.Err(); cause != nil {
		return cause
	}
	var trap *canon.Trap
	if errors.As(err, &trap) {
		return &Trap{Reason: printable.Text(trap.Reason)}
	}
	return err
}

// coreError converts the error of a wazero call of a core instance. A trap in it gets the name of
// the core module that trapped. One in a call that was made meanwhile, of a destructor for
// instance, has that name already, and gets the frames of this call.
func (g *componentGuest) coreError(core int, err error) error {
	if inner := (*Trap)(nil); errors.As(err, &inner) && g.inst.sys.Err() == nil {
		_, stack, _ := strings.Cut(err.Error(), wasmStackTrace)
		outer := g.inst.newTrap("", stack)
		return &Trap{Reason: inner.Reason, Stack: joinStacks(inner.Stack, outer.Stack)}
	}
	var fault guestFault
	byHost := errors.As(err, &fault) && fault.error != errOverflow // Its reason names the function.
	err = g.inst.exitError(err, "")
	trap, ok := err.(*Trap)
	if !ok || byHost {
		return err
	}
	at := g.trapped(trap, core)
	at.code.stack.explainStackOverflow(at.module, trap)
	trap.Reason = at.code.name + ": " + trap.Reason
	return trap
}

// trapped returns the core instance whose function trapped: the one that the innermost frame names,
// or else the one that was called.
func (g *componentGuest) trapped(trap *Trap, called int) *coreInstance {
	for i := range g.cores {
		if strings.HasPrefix(trap.Stack, g.cores[i].code.name+".") {
			return &g.cores[i]
		}
	}
	return &g.cores[called]
}

func joinStacks(inner, outer string) string {
	if inner == "" || outer == "" {
		return inner + outer
	}
	return inner + "\n" + outer
}
