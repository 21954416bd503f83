package engine

import (
	"fmt"
	"slices"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/printable"
)

// initializeName is the function of a reactor that the host calls once, before any other (WASI
// application-abi.md).
const initializeName = "_initialize"

// callStackSize is the charge for a stack on which an exported function is called, in bytes:
// wazero's call engine with the first 10 KiB of stack.
const callStackSize = 12 << 10

// maxIdleStacks is how many functions of a thread keep the stack that they were called on.
const maxIdleStacks = 16

// callStacks holds the functions that a thread has called, each name once. wazero gives each a
// stack, which grows with the guest's and never shrinks. So each is charged the thread's stack
// limit.
type callStacks struct {
	functions []*exportedFunction

	// room is that of functions as long as there is one: most threads call one function.
	room [1]*exportedFunction

	// count is the number of stacks. threadOverhead covers the first.
	count uint64
}

// exportedFunction is a function with a stack to call it on.
type exportedFunction struct {
	name string
	fn   api.Function

	// params and results are numbers of elements of values.
	params, results int

	// numeric is set if all parameters and results are numbers. The embedder may pass no others: a
	// reference is an address of the host's.
	numeric bool

	// paramWords and resultWords are the indices of values of 32 bits in values.
	paramWords, resultWords words

	// values holds the arguments, then the results.
	values []uint64

	// active is set during a call. Another call of the same function needs another stack.
	active bool
}

// find returns the function with a name that is kept, or nil.
func (c *callStacks) find(name string) *exportedFunction {
	for _, f := range c.functions {
		if f.name == name {
			return f
		}
	}
	return nil
}

// stackCost is the charge for each stack after the first.
func (t *thread) stackCost() uint64 {
	return callStackSize + stackGrowthFactor*uint64(t.stackLimit-initialStackLimit)
}

// chargeGrowth charges the growth of the stack limit to another limit, for all of the thread's
// stacks. If the budget has too little left, it drops the stacks that are not in use.
func (t *thread) chargeGrowth(limit uint32) bool {
	growth := stackGrowthFactor * uint64(limit-t.stackLimit)
	if t.charge(growth * max(t.calls.count, 1)) {
		return true
	}
	t.dropIdleStacks()
	return t.charge(growth * max(t.calls.count, 1))
}

// function finds an exported function, with a stack that is not in use. The error is an
// *ArgumentError.
func (t *thread) function(name string, numArgs int) (*exportedFunction, error) {
	f := t.calls.find(name)
	if f == nil || f.active {
		var err error
		if f, err = t.newFunction(name, numArgs); err != nil {
			return nil, &ArgumentError{err}
		}
	}
	if f.params != numArgs {
		return nil, &ArgumentError{errWrongCount(name, f.params, numArgs)}
	}
	return f, nil
}

func errWrongCount(name string, params, args int) error {
	return fmt.Errorf("function %s takes %d arguments, not %d", printable.Name(name), params, args)
}

// newFunction makes an exported function with another stack. It is kept if it is the only one of
// its name.
func (t *thread) newFunction(name string, numArgs int) (*exportedFunction, error) {
	c := &t.calls
	def, ok := t.inst.module.exportedFuncs[name]
	if !ok {
		return nil, fmt.Errorf("the module exports no function %q", name)
	}
	params, paramsNumeric := countValues(def.ParamTypes())
	results, resultsNumeric := countValues(def.ResultTypes())
	if params != numArgs {
		return nil, errWrongCount(name, params, numArgs)
	}
	if len(c.functions) >= maxIdleStacks {
		t.dropIdleStacks()
	}
	if !t.chargeStack() {
		return nil, fmt.Errorf("function %s: the guest's limit of memory leaves no stack for it",
			printable.Name(name))
	}
	f := &exportedFunction{name: name, fn: t.mod.ExportedFunction(name),
		params: params, results: results, numeric: paramsNumeric && resultsNumeric,
		paramWords: findWords(def.ParamTypes()), resultWords: findWords(def.ResultTypes()),
		values: make([]uint64, max(params, results))}
	if len(c.functions) == 0 {
		c.functions = c.room[:0]
	}
	if c.find(name) == nil {
		c.functions = append(c.functions, f)
	}
	return f, nil
}

// countValues returns the number of elements that values of these types take in wazero's stack, and
// whether all are numbers.
func countValues(types []api.ValueType) (count int, numeric bool) {
	numeric = true
	for _, v := range types {
		switch v {
		case api.ValueTypeI32, api.ValueTypeI64, api.ValueTypeF32, api.ValueTypeF64:
			count++
		case valueTypeV128:
			count, numeric = count+2, false
		default:
			count, numeric = count+1, false
		}
	}
	return count, numeric
}

// valueTypeV128 is the type of a vector (WebAssembly Core Specification 2.0, section 5.3.2).
const valueTypeV128 = 0x7b

// chargeStack charges another stack. If the budget has too little left, it drops the stacks that
// are not in use.
func (t *thread) chargeStack() bool {
	if t.calls.count > 0 && !t.charge(t.stackCost()) {
		t.dropIdleStacks()
		if t.calls.count > 0 && !t.charge(t.stackCost()) {
			return false
		}
	}
	t.calls.count++
	return true
}

// dropStack gives one stack back.
func (t *thread) dropStack() {
	if t.calls.count--; t.calls.count > 0 {
		t.charged -= t.stackCost()
		t.inst.budget.Give(t.stackCost())
	}
}

// discard drops the stack of a function unless it is kept.
func (t *thread) discard(f *exportedFunction) {
	if f != t.calls.find(f.name) {
		t.dropStack()
	}
}

func (t *thread) dropIdleStacks() {
	t.calls.functions = slices.DeleteFunc(t.calls.functions, func(f *exportedFunction) bool {
		if !f.active {
			t.dropStack()
		}
		return !f.active
	})
}

// initialize calls _initialize if the module exports it.
func (t *thread) initialize() error {
	if _, ok := t.inst.module.exportedFuncs[initializeName]; !ok {
		return nil
	}
	_, err := t.invoke(initializeName, nil)
	return err
}

// invoke calls an exported function. The error is an *ArgumentError, and nothing was called, or
// one of exitError.
func (t *thread) invoke(name string, args []uint64) ([]uint64, error) {
	f, err := t.function(name, len(args))
	if err != nil {
		return nil, err
	}
	return t.run(f, args)
}

// run calls the function f.
func (t *thread) run(f *exportedFunction, args []uint64) ([]uint64, error) {
	f.active = true
	copy(f.values, args)
	f.paramWords.narrow(f.values)
	err := f.fn.CallWithStack(&t.ctx, f.values)
	f.active = false
	t.discard(f)
	if err != nil {
		return nil, t.inst.module.explainStackOverflow(t.mod, t.inst.exitError(err, ""))
	}
	f.resultWords.narrow(f.values)
	return append([]uint64(nil), f.values[:f.results]...), nil
}

// ArgumentError is the error of a call that cannot be made: there is no such function, or it takes
// other arguments.
type ArgumentError struct{ error }
