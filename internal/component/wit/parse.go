package wit

import (
	"fmt"
	"strings"
)

// parser reads WIT. token is the next word or punctuation, "" at the end.
type parser struct {
	scope *Scope
	text  string
	pos   int
	token string
}

func newParser(s *Scope, text string) *parser {
	p := &parser{scope: s, text: text}
	p.next()
	return p
}

// next makes token the one that follows, and returns the present one.
func (p *parser) next() string {
	taken := p.token
	rest := strings.TrimLeft(p.text[p.pos:], " \t\r\n")
	p.pos = len(p.text) - len(rest)
	n := 0
	for n < len(rest) && isWordByte(rest[n]) {
		n++
	}
	switch {
	case strings.HasPrefix(rest, "->"):
		n = len("->")
	case n == 0 && rest != "":
		n = 1
	}
	p.token = rest[:n]
	p.pos += n
	return taken
}

// isWordByte tells the bytes of names: those of labels, and % which escapes a keyword in WIT. An
// arrow never follows a name without a blank.
func isWordByte(b byte) bool {
	return b == '-' || b == '_' || b == '%' ||
		'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}

func (p *parser) fail(format string, args ...any) error {
	return fmt.Errorf("%s in %q before byte %d", fmt.Sprintf(format, args...), p.text, p.pos)
}

func (p *parser) want(token string) error {
	if p.token != token {
		return p.fail("got %q, want %q", p.token, token)
	}
	p.next()
	return nil
}

func (p *parser) end() error {
	if p.token != "" {
		return p.fail("got %q, want the end", p.token)
	}
	return nil
}

// name reads a label.
func (p *parser) name() (string, error) {
	if p.token == "" || !isWordByte(p.token[0]) || p.token[0] == '-' {
		return "", p.fail("got %q, want a name", p.token)
	}
	return strings.TrimPrefix(p.next(), "%"), nil
}

func (p *parser) definition() error {
	word := p.next()
	name, err := p.name()
	if err != nil {
		return err
	}
	if p.scope.has(name) {
		return p.fail("%s is defined twice", name)
	}
	var t *Type
	switch word {
	case "resource":
		p.scope.addResource(name, &Resource{Name: name})
		return p.want(";")
	case "type":
		if err := p.want("="); err != nil {
			return err
		}
		if t, err = p.typ(); err == nil {
			err = p.want(";")
		}
	case "record", "variant", "enum", "flags":
		t, err = p.aggregate(word)
	default:
		return p.fail("%q defines nothing", word)
	}
	if err != nil {
		return err
	}
	p.scope.addType(name, t.Named(name))
	return nil
}

// aggregate reads a record, variant, enum or flags from its brace on.
func (p *parser) aggregate(word string) (*Type, error) {
	var fields []Field
	var labels []string
	err := p.list("{", "}", func() error {
		f, err := p.field(word)
		fields, labels = append(fields, f), append(labels, f.Name)
		return err
	})
	if err != nil {
		return nil, err
	}
	switch word {
	case "record":
		return Record(fields)
	case "variant":
		return Variant(fields)
	case "enum":
		return Enum(labels)
	}
	return Flags(labels)
}

func (p *parser) field(word string) (f Field, err error) {
	if f.Name, err = p.name(); err != nil {
		return f, err
	}
	switch {
	case word == "record":
		if err = p.want(":"); err == nil {
			f.Type, err = p.typ()
		}
	case word == "variant" && p.token == "(":
		p.next()
		if f.Type, err = p.typ(); err == nil {
			err = p.want(")")
		}
	}
	return f, err
}

// list reads items with commas between them, and perhaps one after the last.
func (p *parser) list(open, shut string, item func() error) error {
	if err := p.want(open); err != nil {
		return err
	}
	for p.token != shut {
		if err := item(); err != nil {
			return err
		}
		if p.token != "," {
			break
		}
		p.next()
	}
	return p.want(shut)
}

func (p *parser) function() (*Func, error) {
	f := &Func{}
	err := p.list("(", ")", func() error {
		name, err := p.name()
		if err != nil {
			return err
		}
		if err := p.want(":"); err != nil {
			return err
		}
		t, err := p.typ()
		f.Params = append(f.Params, Param{name, t})
		return err
	})
	if err != nil || p.token != "->" {
		return f, err
	}
	p.next()
	f.Result, err = p.typ()
	return f, err
}

var primitives = map[string]*Type{
	"bool": Bool, "s8": S8, "u8": U8, "s16": S16, "u16": U16, "s32": S32, "u32": U32, "s64": S64,
	"u64": U64, "f32": F32, "f64": F64, "char": Char, "string": String,
}

func (p *parser) typ() (*Type, error) {
	switch p.token {
	case "list", "option", "tuple":
		return p.generic(p.next())
	case "result":
		p.next()
		return p.result()
	case "own", "borrow":
		return p.handle(p.next())
	}
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	if t, ok := primitives[name]; ok {
		return t, nil
	}
	if t, ok := p.scope.types[name]; ok {
		return t, nil
	}
	if r, ok := p.scope.resources[name]; ok {
		return Own(r), nil
	}
	return nil, p.fail("there is no type %s", name)
}

func (p *parser) generic(word string) (*Type, error) {
	var types []*Type
	err := p.list("<", ">", func() error {
		t, err := p.typ()
		types = append(types, t)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case word == "tuple":
		return Tuple(types...)
	case len(types) != 1:
		return nil, p.fail("%s has %d types, want one", word, len(types))
	case word == "list":
		return List(types[0])
	}
	return Option(types[0])
}

func (p *parser) result() (*Type, error) {
	if p.token != "<" {
		return Result(nil, nil)
	}
	var types [2]*Type
	n := 0
	err := p.list("<", ">", func() (err error) {
		if n == len(types) {
			return p.fail("result has more than two types")
		}
		if p.token == "_" {
			p.next()
		} else {
			types[n], err = p.typ()
		}
		n++
		return err
	})
	if err != nil {
		return nil, err
	}
	return Result(types[0], types[1])
}

func (p *parser) handle(word string) (*Type, error) {
	if err := p.want("<"); err != nil {
		return nil, err
	}
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	r, ok := p.scope.resources[name]
	if !ok {
		return nil, p.fail("there is no resource %s", name)
	}
	if word == "own" {
		return Own(r), p.want(">")
	}
	return Borrow(r), p.want(">")
}
