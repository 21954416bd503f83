// Package link validates a component and plans how to make an instance of it.
//
// Instantiation does not depend on running: the bytes tell which component is instantiated with
// which arguments. So Plan flattens a component, nested ones included, into a Program: a list of
// steps over core instances, host functions and lifted functions. Instances of components,
// instances that consist of items of others, aliases and type checks are gone then. The import
// section of each core module is rewritten to name the origin of each import: the number of a core
// instance and an export there, or the number of a host function. The planner adds no core modules,
// but for one that answers functions of streams, see AnswersHandle.
//
// Types are checked on abstract resource types first, for each component once, as the component
// model's Explainer.md has it. The plan replaces them by the resource types of one guest.
//
// Running a program is the engine's, and values in memory are package canon's.
package link

import (
	"strconv"

	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/wit"
)

// A World has the interfaces that components can import. Names of interfaces are without version,
// such as "wasi:io/streams". Every 0.2.x of an interface is the same.
type World interface {
	// Has reports whether the host has an interface.
	Has(iface string) bool

	// Func returns the type of a function, nil if there is none.
	Func(iface, name string) *wit.Func

	// Resource returns a resource type, nil if there is none.
	Resource(iface, name string) *wit.Resource

	// Type returns the type with a name that is no resource, nil if there is none.
	Type(iface, name string) *wit.Type

	// Answer reports whether a method can be answered by ok within the guest, for a resource of
	// which the host says so, see Component.Answers. number is the payload of ok, 0 without one.
	Answer(iface, name string) (number uint64, ok bool)
}

// A Program is a component in the form in which it is instantiated. It does not change afterwards,
// and serves any number of guests at once.
type Program struct {
	// Modules are the core modules to be compiled, each once. A module that is instantiated with
	// imports of different origins is there more than once.
	Modules []Module

	// Steps make a guest's instance, in order. A step names only things of earlier ones.
	Steps []Step

	// Cores are the core instances, in the order of their steps.
	Cores []Core

	// Hosts are the functions of the host that core modules import.
	Hosts []Host

	// Funcs are the lifted functions.
	Funcs []Lifted

	// Resources are the resource types that components of the program define or the host has.
	Resources []Resource

	// Components are the component instances. The first is the root's.
	Components []Component

	// Run is the index in Funcs of the function run of wasi:cli/run, or -1.
	Run int

	// RunName is the name of the interface with its version, such as "wasi:cli/run@0.2.3".
	RunName string

	// Imports are the functions that the root imports, in its order.
	Imports []Import

	// Exports are the names that the root exports, with the sort of each.
	Exports []Export
}

// A Module is a core module to be compiled.
type Module struct {
	// Binary is the module. Its imports are named as CoreImport and HostImport say.
	Binary []byte

	// Number counts the core modules of the component from 0, in the order of the bytes. Name is
	// its name for debugging, or empty. It comes from the component and may hold any bytes.
	Number int
	Name   string

	// Answers is set for a module of the planner's own, see Component.Answers.
	Answers bool

	// Code is the size of its code, and Memories are those that it defines.
	Code     int
	Memories []binary.CoreExtern
}

// HostModule is the name by which a rewritten core module imports functions of the host. The name
// of such a function is its index in Program.Hosts, in decimal.
const HostModule = "host"

// CoreModuleName is the name by which a rewritten core module imports from the core instance with
// an index in Program.Cores. The names of exports are those of that instance's module.
func CoreModuleName(index int) string { return strconv.Itoa(index) }

// A StepKind names the list of a Program that a Step makes an element of.
type StepKind uint8

// The kinds of steps.
const (
	// StepCore instantiates a core module, and runs its start function: Cores.
	StepCore StepKind = iota

	// StepHost makes a function of the host ready: Hosts. Its memory and realloc exist by then.
	StepHost

	// StepFunc lifts a function: Funcs.
	StepFunc

	// StepResource defines a resource type: Resources. Those of the host have no step.
	StepResource
)

// A Step makes one element of the list that its kind names.
type Step struct {
	Kind  StepKind
	Index int
}

// A Core is an instance of a core module.
type Core struct {
	// Module is the index of the module in Program.Modules.
	Module int

	// Component is the index of the component instance that it belongs to.
	Component int
}

// A Component is an instance of a component: it has a table of handles, and the flags that say
// whether it may be entered and left.
type Component struct {
	// Parent is the index of the enclosing component instance, -1 for the root.
	Parent int

	// Answers is the index of the core instance that answers for handles of the component instance
	// in place of the host, or -1. See AnswersHandle.
	Answers int
}

// A CoreItem says where a core function, memory, table or global comes from.
type CoreItem struct {
	// Core is the index of a core instance, or -1 for a function of the host.
	Core int

	// Name is the export of the core instance.
	Name string

	// Host is the index of the host's function, if Core is -1.
	Host int
}

// Options are the options of a lifted or lowered function.
type Options struct {
	Encoding binary.Encoding

	// Memory, Realloc and PostReturn are nil if they are not given.
	Memory, Realloc, PostReturn *CoreItem
}

// A HostKind is the task of a Host.
type HostKind uint8

// The kinds of host functions.
const (
	// HostImport calls a function of the host's World.
	HostImport HostKind = iota

	// HostLifted calls a lifted function of a component in the same program.
	HostLifted

	// HostResourceNew, HostResourceDrop and HostResourceRep are resource.new, resource.drop and
	// resource.rep for a resource type.
	HostResourceNew
	HostResourceDrop
	HostResourceRep

	// HostMissing is a function that the host does not have. It traps when it is called.
	HostMissing
)

// A Host is a function of the host that core modules import.
type Host struct {
	Kind HostKind

	// Component is the index of the component instance that lowered the function or made the
	// built-in. Handles that it passes are in that instance's table.
	Component int

	// Core is the type that core modules see.
	Core wit.CoreFunc

	// Type is the type of the lowered function, with the resource types of Program.Resources.
	Type *wit.Func

	// Options are those of the lowering.
	Options Options

	// Interface, without version, and Func name a HostImport. Import is its index in
	// Program.Imports. Both names are set for a HostMissing too.
	Interface, Func string
	Import          int

	// Lifted is the index in Program.Funcs for HostLifted.
	Lifted int

	// Resource is the index in Program.Resources for the built-ins of resources.
	Resource int
}

// A Lifted is a function of a component.
type Lifted struct {
	// Component is the index of the component instance that lifted the function: a call enters it.
	Component int

	// Func is the core function, of the type Type.Lifted().
	Func CoreItem

	// Type is the function's type, with the resource types of Program.Resources.
	Type *wit.Func

	Options Options
}

// A Resource is a resource type. Two handles are of the same type if they have the same Type.
type Resource struct {
	// Type is the world's for a resource type of the host. Its Instance is Component + 1.
	Type *wit.Resource

	// Component is the index of the component instance that defines it, or -1 for the host. The
	// representation is known there.
	Component int

	// Destructor is a core function from i32 to nothing, or nil.
	Destructor *CoreItem
}

// An Import is a function that the root imports.
type Import struct {
	// Interface is its name with version, such as "wasi:io/streams@0.2.3".
	Interface string

	// Func is the function's name, such as "[method]input-stream.read".
	Func string

	// Want is the type that the component wants, and Have is the host's; nil without one.
	Want, Have *wit.Func

	// Err says why the host cannot supply the function. It is empty if the host can.
	Err string
}

// An Export is an export of the root.
type Export struct {
	// Name is the name with version, such as "wasi:cli/run@0.2.3".
	Name string
	Sort binary.Sort
}
