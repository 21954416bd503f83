// Package canon is the canonical ABI of the component model: how values pass between a guest's core
// functions and component functions, by core values and linear memory, and which calls are allowed
// (CanonicalABI.md of the component model).
//
// It knows no WebAssembly engine: Core and Memory stand for those of one. It knows no
// interface either: a host function is a HostFunc with a type of package wit.
//
// A Lowered is a component function that a core module imports; a Lifted is a core function that is
// called as a component function; a Builtin is one of the core functions that the model itself
// provides. Each exists once per guest. A Signature, a HostFunc and types are shared by all guests.
//
// Everything that a guest passes is checked here: pointers against the memory's present size,
// handles against the table of the component instance, strings and discriminants against their
// types, quantities against the limits of this package. A rule that is broken is a *Trap.
//
// Concurrency. A Guest, and all that belongs to it, is used by one goroutine at a time: the one
// that runs the guest. There are no locks.
package canon
