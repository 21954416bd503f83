package wasi2

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/component/wit"
	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/internal/system"
)

// caller is a component that makes the calls of a test, with flat arguments, as its core modules
// would. With generic it calls the generic form of every function, else the direct one if there is
// one.
type caller struct {
	testing.TB
	*Guest
	generic bool

	canon    *canon.Guest
	instance *canon.Instance
	lowered  map[string]*canon.Lowered
	memory   []byte
	free     uint32 // the place of the next allocation
}

const (
	memorySize = 1 << 20
	resultAt   = 64 // where the results of calls go
	firstFree  = 1024
)

func newCaller(t testing.TB, c system.Config) *caller {
	t.Helper()
	g, err := system.New(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	th := g.NewThread(sched.New())
	t.Cleanup(th.Close)
	guest, err := NewGuest(th)
	if err != nil {
		t.Fatal(err)
	}
	cg := &canon.Guest{Host: guest}
	return &caller{
		TB: t, Guest: guest, canon: cg, instance: cg.NewInstance(1, nil),
		lowered: make(map[string]*canon.Lowered), memory: make([]byte, memorySize),
		free: firstFree,
	}
}

// inBothForms runs a test with the generic and with the direct forms of functions.
func inBothForms(t *testing.T, test func(t *testing.T, form func(*caller) *caller)) {
	for name, generic := range map[string]bool{"generic": true, "direct": false} {
		t.Run(name, func(t *testing.T) {
			test(t, func(c *caller) *caller {
				c.generic = generic
				return c
			})
		})
	}
}

// View and Call make caller the memory and the realloc of its component.
func (c *caller) View() []byte { return c.memory }

// realloc allocates one place after another, and begins anew when the memory is used up.
type realloc struct{ *caller }

func (r realloc) Call(_ context.Context, stack []uint64) error {
	align, size := uint32(stack[2]), uint32(stack[3])
	stack[0] = uint64(r.alloc(align, size))
	return nil
}

func (c *caller) alloc(align, size uint32) uint32 {
	ptr := (c.free + align - 1) &^ (align - 1)
	if uint64(ptr)+uint64(size) > memorySize {
		ptr = firstFree
	}
	c.free = ptr + size
	return ptr
}

// flat turns arguments, and lists of them, into flat ones. A string stands for its place and
// length, in memory.
func (c *caller) flat(args []any) (list []uint64) {
	for _, a := range args {
		switch a := a.(type) {
		case int:
			list = append(list, uint64(a))
		case uint64:
			list = append(list, a)
		case []uint64:
			list = append(list, a...)
		case []any:
			list = append(list, c.flat(a)...)
		case string:
			at := c.alloc(1, uint32(len(a)))
			copy(c.memory[at:], a)
			list = append(list, uint64(at), uint64(len(a)))
		}
	}
	return list
}

// lower returns the core function of "interface.function".
func (c *caller) lower(name string) *canon.Lowered {
	c.Helper()
	if l := c.lowered[name]; l != nil {
		return l
	}
	iface, function, _ := strings.Cut(name, ".")
	host := World{}.Function("wasi:"+iface, function)
	if host == nil {
		c.Fatalf("there is no function %s", name)
	}
	if c.generic {
		host = &canon.HostFunc{Name: host.Name, Type: host.Type, Generic: host.Generic}
	}
	s, err := canon.NewSignature(host.Type)
	if err != nil {
		c.Fatal(err)
	}
	l := &canon.Lowered{Signature: s, Host: host, Options: canon.Options{
		Instance: c.instance, Memory: c, Realloc: realloc{c},
	}}
	c.lowered[name] = l
	return l
}

// try calls "interface.function" and returns its result as text.
func (c *caller) try(name string, args ...any) (string, error) {
	c.Helper()
	l := c.lower(name)
	stack := make([]uint64, 18)
	copy(stack, c.flat(args))
	typ := l.Host.Type
	if typ.ResultInMemory() {
		stack[typ.FlatParams()] = resultAt
	}
	if err := l.Call(context.Background(), stack); err != nil {
		return "", err
	}
	switch {
	case typ.Result == nil:
		return "", nil
	case typ.ResultInMemory():
		return c.show(typ.Result, resultAt), nil
	}
	le.PutUint64(c.memory[resultAt:], stack[0])
	return c.show(typ.Result, resultAt), nil
}

// call is try without an error.
func (c *caller) call(name string, args ...any) string {
	c.Helper()
	result, err := c.try(name, args...)
	if err != nil {
		c.Fatalf("%s%v: got %v, want a result", name, args, err)
	}
	return result
}

// wants calls a function and compares its result.
func (c *caller) wants(want, name string, args ...any) {
	c.Helper()
	if got := c.call(name, args...); got != want {
		c.Errorf("%s%v: got %s, want %s", name, args, got, want)
	}
}

// traps calls a function and compares the reason of its trap.
func (c *caller) traps(want, name string, args ...any) {
	c.Helper()
	got, err := c.try(name, args...)
	var trap *canon.Trap
	if !errors.As(err, &trap) || trap.Reason != want {
		c.Errorf("%s%v: got %s, %v, want the trap %s", name, args, got, err, want)
	}
}

// handle calls a function that returns a handle, alone or as the first thing in an ok result or an
// option.
func (c *caller) handle(name string, args ...any) uint64 {
	c.Helper()
	return c.handles(name, args...)[0]
}

// handles calls a function and returns the numbers in its result.
func (c *caller) handles(name string, args ...any) []uint64 {
	c.Helper()
	text := c.call(name, args...)
	list := c.numbers(text)
	if len(list) == 0 || strings.HasPrefix(text, "err") {
		c.Fatalf("%s%v: got %s, want a handle", name, args, text)
	}
	return list
}

// numbers returns the numbers in a text.
func (c *caller) numbers(text string) (list []uint64) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		n, _ := strconv.ParseUint(word, 10, 64)
		list = append(list, n)
	}
	return list
}

// drop drops a handle of "interface.resource".
func (c *caller) drop(name string, handle uint64) error {
	iface, resource, _ := strings.Cut(name, ".")
	r := World{}.Resource("wasi:"+iface, resource)
	row, _ := canon.LookupBuiltin(0x03)
	b := canon.Builtin{Row: row, Instance: c.instance,
		Resource: &canon.Resource{Type: r, Host: World{}.HostResource(r)}}
	return b.Call(context.Background(), []uint64{handle})
}

// show formats the value of a type in memory: ok("text"), err(closed), some(3), [1, 2].
func (c *caller) show(t *wit.Type, at uint32) string {
	m := c.memory[at:]
	switch t.Kind() {
	case wit.KindBool:
		return strconv.FormatBool(m[0] != 0)
	case wit.KindU8:
		return strconv.Itoa(int(m[0]))
	case wit.KindU16:
		return strconv.Itoa(int(le.Uint16(m)))
	case wit.KindU32, wit.KindOwn, wit.KindBorrow:
		return strconv.Itoa(int(le.Uint32(m)))
	case wit.KindU64:
		return strconv.FormatUint(le.Uint64(m), 10)
	case wit.KindString:
		return strconv.Quote(string(c.memory[le.Uint32(m):][:le.Uint32(m[4:])]))
	case wit.KindList:
		return c.showList(t.Elem(), le.Uint32(m), le.Uint32(m[4:]))
	case wit.KindFlags:
		return c.showFlags(t, m[0])
	case wit.KindRecord, wit.KindTuple:
		var parts []string
		for _, f := range t.Fields() {
			parts = append(parts, c.show(f.Type, at+f.Offset))
		}
		return "(" + strings.Join(parts, ", ") + ")"
	}
	return c.showCase(t, int(m[0]), at+t.PayloadOffset())
}

func (c *caller) showList(elem *wit.Type, at, n uint32) string {
	if elem.Kind() == wit.KindU8 {
		return strconv.Quote(string(c.memory[at:][:n]))
	}
	var parts []string
	for i := range n {
		parts = append(parts, c.show(elem, at+i*elem.Size()))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func (c *caller) showFlags(t *wit.Type, bits byte) string {
	var parts []string
	for i, f := range t.Fields() {
		if bits>>i&1 != 0 {
			parts = append(parts, f.Name)
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (c *caller) showCase(t *wit.Type, n int, at uint32) string {
	name := ""
	switch t.Kind() {
	case wit.KindOption:
		name = [...]string{"none", "some"}[n]
	case wit.KindResult:
		name = [...]string{"ok", "err"}[n]
	default:
		name = t.Fields()[n].Name
	}
	if payload := t.Case(n); payload != nil {
		return fmt.Sprintf("%s(%s)", name, c.show(payload, at))
	}
	return name
}
