package wasi2

import (
	"fmt"
	"slices"
	"sync"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/component/wit"
	"github.com/wasport/wasport/internal/outside"
)

// table is an interface: its types in WIT, with those that it uses of others, and its functions.
// Parameters have the labels of WASI's WIT files, since a component's import must have the same.
type table struct {
	name  string
	uses  []use
	types string

	// drops ends resources of the interface, by the type's name.
	drops map[string]func(g *Guest, rep uint32) error
	rows  []row
}

// use names types of another interface, whose table comes before.
type use struct {
	from  string
	types []string
}

// row is a function. Either generic gets and returns values, or direct, if there is one, does the
// same with flat arguments; see canon.HostFunc.
type row struct {
	name, signature string
	generic         func(g *Guest, c *canon.Call) error
	direct          func(g *Guest, c *canon.Call, stack []uint64) error
}

// Interface is an interface that components can import.
type Interface struct {
	// Name is without a version: nothing in these interfaces changed from 0.2.0 to 0.2.12.
	Name string

	// Types has the types by name, those of other interfaces that it uses included.
	Types *wit.Scope

	// Functions are by their names in the interface; FunctionNames has them in order.
	Functions     map[string]*canon.HostFunc
	FunctionNames []string
}

// Interfaces returns all interfaces, in the order of WASI's packages.
func Interfaces() []*Interface { return world().list }

// World is the host's side of all imports. Names of interfaces are without version. Function serves
// calls; the other methods are those of link.World.
type World struct{}

// Has reports whether there is an interface.
func (World) Has(iface string) bool { return world().byName[iface] != nil }

// Function returns a function, nil if there is none.
func (World) Function(iface, name string) *canon.HostFunc {
	if i := world().byName[iface]; i != nil {
		return i.Functions[name]
	}
	return nil
}

// Func returns the type of a function, nil if there is none.
func (w World) Func(iface, name string) *wit.Func {
	if f := w.Function(iface, name); f != nil {
		return f.Type
	}
	return nil
}

// Resource returns a resource type, nil if there is none.
func (World) Resource(iface, name string) *wit.Resource {
	if i := world().byName[iface]; i != nil {
		return i.Types.Resource(name)
	}
	return nil
}

// Type returns the type with a name that is no resource, nil if there is none.
func (World) Type(iface, name string) *wit.Type {
	if i := world().byName[iface]; i != nil {
		return i.Types.Lookup(name)
	}
	return nil
}

// Answer returns the result of a function while a stream is answerable, see Guest.Answerable.
func (World) Answer(iface, name string) (number uint64, ok bool) {
	if iface == ioStreams.name {
		number, ok = answers[name]
	}
	return number, ok
}

// HostResource returns the host's side of a resource type, nil if it is not of this package.
func (World) HostResource(r *wit.Resource) *canon.HostResource { return world().resources[r] }

type interfaces struct {
	list      []*Interface
	byName    map[string]*Interface
	resources map[*wit.Resource]*canon.HostResource
}

// world parses the tables when they are first needed. A mistake in them is found by any test.
var world = sync.OnceValue(func() *interfaces {
	w := &interfaces{
		byName:    make(map[string]*Interface),
		resources: make(map[*wit.Resource]*canon.HostResource),
	}
	for _, t := range tables() {
		i, err := w.parse(t)
		if err != nil {
			panic(fmt.Errorf("%s: %w", t.name, err))
		}
		w.list = append(w.list, i)
		w.byName[i.Name] = i
	}
	return w
})

func tables() []*table {
	return append([]*table{
		&ioError, &ioPoll, &ioStreams,
		&cliEnvironment, &cliExit, &cliStdin, &cliStdout, &cliStderr,
		&cliTerminalInput, &cliTerminalOutput,
		&cliTerminalStdin, &cliTerminalStdout, &cliTerminalStderr,
		&clocksMonotonic, &clocksWall,
		&filesystemTypes, &filesystemPreopens,
		&randomRandom, &randomInsecure, &randomInsecureSeed,
	}, socketTables()...)
}

func (w *interfaces) parse(t *table) (*Interface, error) {
	i := &Interface{
		Name: t.name, Types: new(wit.Scope), Functions: make(map[string]*canon.HostFunc),
	}
	for _, u := range t.uses {
		if err := i.Types.Use(w.byName[u.from].Types, u.types...); err != nil {
			return nil, err
		}
	}
	if err := i.Types.Define(t.types); err != nil {
		return nil, err
	}
	for name, drop := range t.drops {
		r := i.Types.Resource(name)
		if r == nil {
			return nil, fmt.Errorf("no resource %s", name)
		}
		full := t.name + ".[resource-drop]" + name
		w.resources[r] = &canon.HostResource{Type: r, Drop: func(host any, rep uint32) (err error) {
			g := host.(*Guest)
			g.EnterCall(&full)
			defer g.finishCall(&full, &err)
			return drop(g, rep)
		}}
	}
	for n := range t.rows {
		r := &t.rows[n]
		f, err := i.Types.Func(r.signature)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		i.FunctionNames = append(i.FunctionNames, r.name)
		i.Functions[r.name] = r.hostFunc(t.name+"."+r.name, f)
	}
	return i, nil
}

// sendNames are the functions for which system.Thread.EnterSend is.
var sendNames = []string{"[method]output-stream.check-write", "[method]output-stream.write",
	"[method]output-stream.blocking-write-and-flush", "[method]output-stream.flush",
	"[method]output-stream.blocking-flush", "[method]outgoing-datagram-stream.check-send",
	"[method]outgoing-datagram-stream.send"}

func (r *row) hostFunc(name string, typ *wit.Func) *canon.HostFunc {
	f := &canon.HostFunc{Name: name, Type: typ}
	if len(typ.Params) > 0 {
		f.Self = typ.Params[0].Type.Resource()
	}
	sends := slices.Contains(sendNames, r.name)
	enter := func(g *Guest) {
		if sends {
			g.EnterSend(&f.Name)
		} else {
			g.EnterCall(&f.Name)
		}
	}
	if r.generic != nil {
		f.Generic = func(c *canon.Call) (err error) {
			g := c.Host().(*Guest)
			enter(g)
			defer g.finishCall(&f.Name, &err)
			g.ChargeGarbage(genericGarbage)
			return r.generic(g, c)
		}
	}
	if r.direct != nil {
		f.Direct = func(c *canon.Call, stack []uint64) error {
			g := c.Host().(*Guest)
			enter(g)
			err := r.callDirect(g, c, stack)
			g.ChargeSteps(1)
			if err != nil {
				err = named(&f.Name, err)
			}
			return g.endReasonOr(err)
		}
	}
	return f
}

// callDirect calls the direct form. Unlike finishCall it asks for a panic only after one.
func (r *row) callDirect(g *Guest, c *canon.Call, stack []uint64) error {
	defer g.endUnlessLeft()
	err := r.direct(g, c, stack)
	g.LeaveCall()
	return err
}

// endUnlessLeft is deferred by callDirect. A call that has not been left panicked or has ended its
// goroutine.
func (g *Guest) endUnlessLeft() {
	if name := g.CurrentImport(); name != nil {
		g.KillForPanic(outside.NewPanic(*name, recover()))
		g.LeaveCall()
	}
}

// genericGarbage is how many bytes the host allocates for the values of a generic call, at most,
// besides bytes that the call itself charges.
const genericGarbage = 1024

// finishCall is deferred by the calls of a function with a name. A panic comes from a network,
// reader or writer of the embedder and ends the guest. The reason of the guest's end replaces any
// other error.
func (g *Guest) finishCall(name *string, err *error) {
	if r := recover(); r != nil {
		g.KillForPanic(outside.NewPanic(*name, r))
	}
	g.LeaveCall()
	g.ChargeSteps(1)
	*err = g.endReasonOr(named(name, *err))
}

// named puts the name of a function before the reason of a trap.
func named(name *string, err error) error {
	if trap, ok := err.(*canon.Trap); ok {
		return trapf("%s: %s", *name, trap.Reason)
	}
	return err
}

func (g *Guest) endReasonOr(err error) error {
	if cause := g.Err(); cause != nil {
		return cause
	}
	return err
}
