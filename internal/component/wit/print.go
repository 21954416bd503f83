package wit

import "strings"

var kindNames = [...]string{
	KindBool: "bool", KindS8: "s8", KindU8: "u8", KindS16: "s16", KindU16: "u16", KindS32: "s32",
	KindU32: "u32", KindS64: "s64", KindU64: "u64", KindF32: "f32", KindF64: "f64",
	KindChar: "char", KindString: "string", KindList: "list", KindRecord: "record",
	KindTuple: "tuple", KindVariant: "variant", KindEnum: "enum", KindOption: "option",
	KindResult: "result", KindFlags: "flags", KindOwn: "own", KindBorrow: "borrow",
}

// String returns the word of WIT for the kind.
func (k Kind) String() string { return kindNames[k] }

// parts returns the word for the parts of a type of the kind.
func (k Kind) parts() string {
	switch k {
	case KindVariant:
		return "cases"
	case KindEnum, KindFlags:
		return "labels"
	}
	return "fields"
}

// maxPrinted is the length in bytes beyond which String leaves out the rest. A type of a component
// may consist of MaxNodes types.
const maxPrinted = 1000

// String returns the type in WIT's spelling, by name if it has one. A handle that owns is written
// as the resource alone. A text longer than 1,000 bytes is cut and ends in "…".
func (t *Type) String() string {
	var p printer
	p.typ(t)
	return p.String()
}

// Structure returns the type like String, but without its own name.
func (t *Type) Structure() string {
	var p printer
	p.structure(t)
	return p.String()
}

// String returns the signature in the spelling that Scope.Func parses.
func (f *Func) String() string {
	var p printer
	p.write("(")
	for i, param := range f.Params {
		p.separate(i)
		p.write(param.Name, ": ")
		p.typ(param.Type)
	}
	p.write(")")
	if f.Result != nil {
		p.write(" -> ")
		p.typ(f.Result)
	}
	return p.String()
}

// printer collects text up to maxPrinted bytes.
type printer struct {
	text strings.Builder
	full bool
}

func (p *printer) String() string { return p.text.String() }

func (p *printer) write(words ...string) {
	for _, w := range words {
		if p.full {
			return
		}
		if p.text.Len()+len(w) > maxPrinted {
			p.text.WriteString("…")
			p.full = true
			return
		}
		p.text.WriteString(w)
	}
}

func (p *printer) separate(i int) {
	if i > 0 {
		p.write(", ")
	}
}

func (p *printer) typ(t *Type) {
	switch {
	case p.full:
	case t == nil:
		p.write("_")
	case t.name != "":
		p.write(t.name)
	default:
		p.structure(t)
	}
}

func (p *printer) structure(t *Type) {
	switch t.kind {
	case KindList, KindOption:
		p.write(t.kind.String(), "<")
		p.typ(t.elem)
		p.write(">")
	case KindTuple:
		p.write("tuple<")
		for i, f := range t.fields {
			p.separate(i)
			p.typ(f.Type)
		}
		p.write(">")
	case KindRecord, KindVariant, KindEnum, KindFlags:
		p.fields(t)
	case KindResult:
		p.result(t)
	case KindOwn:
		p.write(t.resource.Name)
	case KindBorrow:
		p.write("borrow<", t.resource.Name, ">")
	default:
		p.write(t.kind.String())
	}
}

func (p *printer) result(t *Type) {
	p.write("result")
	if t.elem == nil && t.err == nil {
		return
	}
	p.write("<")
	p.typ(t.elem)
	if t.err != nil {
		p.write(", ")
		p.typ(t.err)
	}
	p.write(">")
}

func (p *printer) fields(t *Type) {
	p.write(t.kind.String(), " { ")
	for i, f := range t.fields {
		if p.full {
			return
		}
		p.separate(i)
		p.write(f.Name)
		switch {
		case t.kind == KindRecord:
			p.write(": ")
			p.typ(f.Type)
		case f.Type != nil:
			p.write("(")
			p.typ(f.Type)
			p.write(")")
		}
	}
	p.write(" }")
}
