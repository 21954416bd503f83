package canon

import (
	"strconv"
	"strings"

	"github.com/wasport/wasport/internal/component/wit"
)

// maxPrinted is the length in bytes beyond which Print leaves out the rest.
const maxPrinted = 200

// Print returns a value of type t as text: cases and labels by their names, strings and
// bytes quoted, handles as the numbers by which the definers know the resources. A text longer than
// 200 bytes is cut and ends in "…". Strings are of the guest; all but printable ASCII is escaped.
func Print(t *wit.Type, v Value) string {
	var p printer
	p.value(t, v)
	return p.text.String()
}

type printer struct {
	text strings.Builder
	full bool
}

func (p *printer) write(words ...string) {
	for _, w := range words {
		if p.full {
			return
		}
		if rest := maxPrinted - p.text.Len(); len(w) > rest {
			p.text.WriteString(w[:rest])
			p.text.WriteString("…")
			p.full = true
			return
		}
		p.text.WriteString(w)
	}
}

func (p *printer) value(t *wit.Type, v Value) {
	switch t.Kind() {
	case wit.KindBool:
		p.write(strconv.FormatBool(v.Bool()))
	case wit.KindS8, wit.KindS16, wit.KindS32, wit.KindS64:
		p.write(strconv.FormatInt(v.Int(), 10))
	case wit.KindF32:
		p.write(strconv.FormatFloat(float64(v.Float32()), 'g', -1, 32))
	case wit.KindF64:
		p.write(strconv.FormatFloat(v.Float64(), 'g', -1, 64))
	case wit.KindChar:
		p.write(strconv.QuoteRuneToASCII(rune(v.Uint())))
	case wit.KindString:
		p.quote(v.Text())
	case wit.KindList:
		p.list(t.Elem(), v)
	case wit.KindRecord, wit.KindTuple:
		p.fields(t, v.Items())
	case wit.KindVariant, wit.KindEnum, wit.KindOption, wit.KindResult:
		p.variant(t, v)
	case wit.KindFlags:
		p.flags(t, v.Uint())
	default:
		p.write(strconv.FormatUint(v.Uint(), 10))
	}
}

// quote writes at most maxPrinted bytes of s in quotes.
func (p *printer) quote(s string) {
	cut := s[:min(len(s), maxPrinted)]
	p.write(strconv.QuoteToASCII(cut))
	if len(cut) < len(s) {
		p.write("…")
	}
}

func (p *printer) separate(i int) {
	if i > 0 {
		p.write(", ")
	}
}

func (p *printer) list(elem *wit.Type, v Value) {
	if elem.Kind() == wit.KindU8 {
		p.quote(string(v.Bytes()[:min(len(v.Bytes()), maxPrinted)]))
		return
	}
	p.write("[")
	for i, item := range v.Items() {
		if p.full {
			return
		}
		p.separate(i)
		p.value(elem, item)
	}
	p.write("]")
}

func (p *printer) fields(t *wit.Type, items []Value) {
	open, shut := "(", ")"
	if t.Kind() == wit.KindRecord {
		open, shut = "{", "}"
	}
	p.write(open)
	for i, item := range items {
		if p.full {
			return
		}
		p.separate(i)
		if t.Kind() == wit.KindRecord {
			p.write(t.Fields()[i].Name, ": ")
		}
		p.value(t.Fields()[i].Type, item)
	}
	p.write(shut)
}

func (p *printer) variant(t *wit.Type, v Value) {
	i := v.Case()
	switch t.Kind() {
	case wit.KindOption:
		p.write([]string{"none", "some"}[i&1])
	case wit.KindResult:
		p.write([]string{"ok", "error"}[i&1])
	default:
		p.write(t.Fields()[i].Name)
	}
	if payload := t.Case(i); payload != nil {
		p.write("(")
		p.value(payload, v.Payload())
		p.write(")")
	}
}

func (p *printer) flags(t *wit.Type, bits uint64) {
	p.write("{")
	n := 0
	for i, f := range t.Fields() {
		if bits&(1<<i) != 0 {
			p.separate(n)
			p.write(f.Name)
			n++
		}
	}
	p.write("}")
}
