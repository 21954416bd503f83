package engine

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/component/wit"
)

// tracedFunction writes a line for each call of a function of the host, with the values in the
// order of WIT and handles as the guest numbers them:
//
//	tcp-socket.start-connect(4, 1, 127.0.0.1:80) = ok <0.000081>
//	input-stream.read(6, 65536) = ok "hello\n" <0.000004>
type tracedFunction struct {
	*canon.Lowered
	w    io.Writer
	name string
}

func (f *tracedFunction) Call(ctx context.Context, stack []uint64) error {
	shown := f.Show(stack)
	defer shown.Release()
	start := time.Now()
	err := f.Lowered.Call(ctx, stack)
	took := time.Since(start)
	line := valuePrinter{}
	line.text(traceName(f.name))
	line.text("(")
	typ := f.Host.Type // It has the names of types, of which a component's may lack some.
	for i, p := range typ.Params {
		if i > 0 {
			line.text(", ")
		}
		line.shown(p.Type, shown.Args, i)
	}
	line.text(")")
	switch result := typ.Result; {
	case err != nil:
		line.text(" = ?")
	case result != nil:
		line.text(" = ")
		line.shown(result, shown.Result(stack), 0)
	}
	line.text(fmt.Sprintf(" <%.6f>\n", took.Seconds()))
	f.w.Write(line.b) // An error of the writer is no concern of the guest.
	return err
}

// tracedDrop writes a line for each handle of a resource of the host that the guest drops:
//
//	tcp-socket.drop(4) <0.000011>
type tracedDrop struct {
	*canon.Builtin
	w io.Writer
}

func (f *tracedDrop) Call(ctx context.Context, stack []uint64) error {
	handle, start := uint32(stack[0]), time.Now()
	err := f.Builtin.Call(ctx, stack)
	fmt.Fprintf(f.w, "%s.drop(%d) <%.6f>\n", f.Resource.Type.Name, handle,
		time.Since(start).Seconds())
	return err
}

// traceName is the name of a function without the marks of methods.
func traceName(name string) string {
	if _, rest, ok := strings.Cut(name, "]"); ok {
		return rest
	}
	return name
}

// valuePrinter prints values by their types.
type valuePrinter struct{ b []byte }

// The bounds of what a trace shows of a value.
const (
	maxShownBytes = 32
	maxShownItems = 8
)

func (p *valuePrinter) text(s string) { p.b = append(p.b, s...) }

// shown prints the value with an index, or a question mark if the guest passed none that is valid.
func (p *valuePrinter) shown(t *wit.Type, values []canon.Value, i int) {
	if i >= len(values) {
		p.text("?")
		return
	}
	p.value(t, values[i])
}

func (p *valuePrinter) value(t *wit.Type, v canon.Value) {
	switch t.Kind() {
	case wit.KindBool:
		p.b = strconv.AppendBool(p.b, v.Bool())
	case wit.KindS8, wit.KindS16, wit.KindS32, wit.KindS64:
		p.b = strconv.AppendInt(p.b, v.Int(), 10)
	case wit.KindF32, wit.KindF64:
		p.text("a float") // WASI has none.
	case wit.KindString:
		p.quoted([]byte(v.Text()))
	case wit.KindOwn, wit.KindBorrow:
		p.b = strconv.AppendUint(p.b, uint64(v.Rep()), 10)
	case wit.KindList:
		p.list(t, v)
	case wit.KindRecord, wit.KindTuple:
		p.fields(t, v)
	case wit.KindVariant, wit.KindEnum, wit.KindOption, wit.KindResult:
		p.variant(t, v)
	case wit.KindFlags:
		p.flags(t, v.Uint())
	default:
		p.b = strconv.AppendUint(p.b, v.Uint(), 10)
	}
}

func (p *valuePrinter) quoted(b []byte) {
	p.b = strconv.AppendQuote(p.b, string(b[:min(len(b), maxShownBytes)]))
	if len(b) > maxShownBytes {
		p.text("...")
	}
}

func (p *valuePrinter) list(t *wit.Type, v canon.Value) {
	if t.Elem().Kind() == wit.KindU8 {
		p.quoted(v.Bytes())
		return
	}
	p.text("[")
	for i, item := range v.Items() {
		if i > 0 {
			p.text(", ")
		}
		if i == maxShownItems {
			p.text("...")
			break
		}
		p.value(t.Elem(), item)
	}
	p.text("]")
}

func (p *valuePrinter) fields(t *wit.Type, v canon.Value) {
	p.text("(")
	for i, item := range v.Items() {
		if i > 0 {
			p.text(", ")
		}
		if name := t.Fields()[i].Name; name != "" {
			p.text(name + ": ")
		}
		p.value(t.Fields()[i].Type, item)
	}
	p.text(")")
}

func (p *valuePrinter) flags(t *wit.Type, bits uint64) {
	var set []string
	for i, f := range t.Fields() {
		if bits>>i&1 != 0 {
			set = append(set, f.Name)
		}
	}
	p.text("{" + strings.Join(set, ", ") + "}")
}

// variant prints "ok" and "error" of a result before its payload, the payload alone of an option,
// and the name of any other case. Addresses are printed as netip prints them.
func (p *valuePrinter) variant(t *wit.Type, v canon.Value) {
	payload := t.Case(v.Case())
	switch {
	case t.Kind() == wit.KindOption && payload == nil:
		p.text("none")
		return
	case t.Kind() == wit.KindOption:
		p.value(payload, v.Payload())
		return
	case t.Name() == "ip-socket-address":
		p.text(socketAddress(v).String())
		return
	case t.Name() == "ip-address":
		p.text(address(v.Case(), v.Payload().Items()).String())
		return
	}
	p.text(caseName(t, v.Case()))
	if payload != nil {
		p.text(" ")
		p.value(payload, v.Payload())
	}
}

func caseName(t *wit.Type, i int) string {
	if t.Kind() == wit.KindResult {
		return [...]string{"ok", "error"}[i]
	}
	return t.Fields()[i].Name
}

// socketAddress converts an ip-socket-address of wasi:sockets/network. Its payload has the port
// first, and the address second of two fields for IPv4, third of four for IPv6.
func socketAddress(v canon.Value) netip.AddrPort {
	fields := v.Payload().Items()
	if len(fields) < 2 {
		return netip.AddrPort{}
	}
	ip := fields[len(fields)/2]
	return netip.AddrPortFrom(address(v.Case(), ip.Items()), uint16(fields[0].Uint()))
}

// address converts the numbers of an IPv4 address, case 0, or of an IPv6 address.
func address(kind int, numbers []canon.Value) netip.Addr {
	var b []byte
	for _, n := range numbers {
		if kind == 1 {
			b = append(b, byte(n.Uint()>>8))
		}
		b = append(b, byte(n.Uint()))
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
