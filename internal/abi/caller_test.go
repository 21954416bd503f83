package abi_test

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasport/wasport/internal/abi"
	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
)

// caller is a guest that makes the calls of a test. Its module exports a function for each function
// of the dialects, which calls it with the same arguments.
type caller struct {
	t     testing.TB
	ctx   context.Context
	guest *system.Guest
	mod   api.Module

	// last is the name of the last import that was called, lastErrno its result.
	last      string
	lastErrno wasi.Errno

	// another starts a thread of the guest with its own memory.
	another func() *caller
}

const memorySize = 1 << 16

func newCaller(t testing.TB, c system.Config) *caller {
	t.Helper()
	return newCallerOn(t, wazero.NewRuntimeConfigInterpreter(), c)
}

func newCallerOn(t testing.TB, engine wazero.RuntimeConfig, c system.Config) *caller {
	t.Helper()
	ctx := context.Background()
	world, err := system.New(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(world.Close)

	r := wazero.NewRuntimeWithConfig(ctx, engine)
	t.Cleanup(func() { r.Close(ctx) })
	functions := abi.Functions()
	hosts := make(map[string]api.Module)
	for _, module := range abi.Modules() {
		b := r.NewHostModuleBuilder(module)
		for _, f := range functions[module] {
			b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(f.Call),
				valueTypes(f.Params), valueTypes(f.Results)).Export(exportName(module, f))
		}
		compiled, err := b.Compile(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if hosts[module], err = r.InstantiateModule(ctx, compiled,
			wazero.NewModuleConfig().WithName("")); err != nil {
			t.Fatal(err)
		}
	}
	ctx = experimental.WithImportResolver(ctx, func(name string) api.Module { return hosts[name] })
	compiled, err := r.CompileModule(ctx, forwardingModule(functions))
	if err != nil {
		t.Fatal(err)
	}
	var thread func() *caller
	thread = func() *caller {
		st := world.NewThread(sched.New())
		t.Cleanup(st.Close)
		ctx := &abi.Context{Context: ctx, Caller: new(abi.Caller)}
		ctx.Caller.Init(st, nil)
		mod, err := r.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName(""))
		if err != nil {
			t.Fatal(err)
		}
		return &caller{t: t, ctx: ctx, guest: world, mod: mod, another: thread}
	}
	return thread()
}

// call calls an import and returns its errno.
func (c *caller) call(name string, args ...uint64) wasi.Errno {
	c.t.Helper()
	f := c.mod.ExportedFunction(name)
	if f == nil {
		c.t.Fatalf("got no function %s, want one", name)
	}
	res, err := f.Call(c.ctx, args...)
	if err != nil {
		c.t.Fatalf("%s: %v", name, err)
	}
	c.last, c.lastErrno = name, wasi.Errno(res[0])
	return c.lastErrno
}

// must calls an import that must succeed.
func (c *caller) must(name string, args ...uint64) {
	c.t.Helper()
	if e := c.call(name, args...); e != wasi.Success {
		c.t.Fatalf("%s%v: got %v, want success", name, args, e)
	}
}

func (c *caller) memory() []byte {
	b, _ := c.mod.Memory().Read(0, memorySize)
	return b
}

func (c *caller) u32(ptr uint64) uint64 {
	return uint64(binary.LittleEndian.Uint32(c.memory()[ptr:]))
}

func valueTypes(letters string) []api.ValueType {
	t := make([]api.ValueType, len(letters))
	for i := range letters {
		t[i] = valueType(letters[i])
	}
	return t
}

func valueType(letter byte) api.ValueType {
	if letter == 'I' {
		return api.ValueTypeI64
	}
	return api.ValueTypeI32
}

// exportName returns the export for a function: the function's name, followed by the letters of its
// parameters unless it is the first with that name.
func exportName(module string, f *abi.Function) string {
	if abi.Overloads(module, f.Name)[0] == f {
		return f.Name
	}
	return f.Name + "/" + f.Params
}

// forwardingModule encodes a module that imports all functions and exports functions that call
// them.
func forwardingModule(functions map[string][]*abi.Function) []byte {
	var types, imports, funcs, exports, code []byte
	var bodies [][]byte
	n := 0
	for _, module := range abi.Modules() {
		for _, f := range functions[module] {
			types = append(types, 0x60)
			types = append(types, vector(valueTypes(f.Params))...)
			types = append(types, vector(valueTypes(f.Results))...)
			imports = append(imports, text(module)...)
			imports = append(imports, text(exportName(module, f))...)
			imports = append(append(imports, 0), leb(n)...)
			funcs = append(funcs, leb(n)...)

			body := []byte{0} // no locals
			for i := range f.Params {
				body = append(append(body, 0x20), leb(i)...) // local.get
			}
			body = append(append(body, 0x10), leb(n)...) // call
			bodies = append(bodies, append(body, 0x0b))
			n++
		}
	}
	i := 0
	for _, module := range abi.Modules() {
		for _, f := range functions[module] {
			name := exportName(module, f)
			if module == "wasi_unstable" {
				name = "unstable:" + name
			}
			exports = append(exports, text(name)...)
			exports = append(append(exports, 0), leb(n+i)...)
			code = append(append(code, leb(len(bodies[i]))...), bodies[i]...)
			i++
		}
	}
	exports = append(exports, text("memory")...)
	exports = append(exports, 2, 0)
	b := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range []struct {
		id, count int
		content   []byte
	}{{1, n, types}, {2, n, imports}, {3, n, funcs}, {5, 1, []byte{0, 1}}, {7, n + 1, exports}, {10,
		n, code}} {
		content := append(leb(s.count), s.content...)
		b = append(append(append(b, byte(s.id)), leb(len(content))...), content...)
	}
	return b
}

func leb(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

func text(s string) []byte { return append(leb(len(s)), s...) }

func vector(b []byte) []byte { return append(leb(len(b)), b...) }
