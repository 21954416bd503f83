package policy

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/wasport/wasport/internal/bytesize"
)

// Parse reads a policy file: lists of rules named allow and deny, and a table named limits (TOML
// 1.0.0). Errors and rules call the file by name. The error joins one [*Error] for each mistake, up
// to the hundredth.
func Parse(name string, text []byte) (*Policy, error) {
	f := file{name: name}
	if err := f.read(text); err != nil {
		return nil, err
	}
	return New(f.rules, f.limits), nil
}

// Format returns the text of a policy file with each rule in its canonical spelling. Everything
// else, comments included, stays as it is.
func Format(name string, text []byte) ([]byte, error) {
	f := file{name: name}
	if err := f.read(text); err != nil {
		return nil, err
	}
	var out []byte
	end := 0
	for i, at := range f.ruleRanges {
		_, rule, _ := strings.Cut(f.rules[i].String(), " ")
		out = append(out, text[end:at.Offset]...)
		out = append(out, `"`+rule+`"`...)
		end = int(at.Offset + at.Length)
	}
	return append(out, text[end:]...), nil
}

// file is the state of reading a policy file.
type file struct {
	name  string
	ast   unstable.Parser
	rules []Rule
	// ruleRanges has the range of each rule in the text, quotes included.
	ruleRanges []unstable.Range
	// lines has the offset of each line.
	lines  []int
	limits Limits
	errs   []error
}

// maxErrors is how many mistakes of a file are told.
const maxErrors = 100

// byteOrderMarks are what programs of Windows begin a file with (The Unicode Standard, section
// 2.6). TOML has none.
var byteOrderMarks = []struct{ mark, encoding string }{
	{"\xef\xbb\xbf", "UTF-8"}, {"\xff\xfe", "UTF-16"}, {"\xfe\xff", "UTF-16"},
}

// read parses the file into rules, limits and errs.
func (f *file) read(text []byte) error {
	for _, m := range byteOrderMarks {
		if bytes.HasPrefix(text, []byte(m.mark)) {
			return &Error{Origin{Source: f.name, Line: 1, Column: 1},
				"the file begins with a byte order mark of " + m.encoding,
				"save it as UTF-8 without one"}
		}
	}
	f.lines = []int{0}
	for i, c := range text {
		if c == '\n' {
			f.lines = append(f.lines, i+1)
		}
	}
	f.ast.Reset(text)
	table := ""
	for f.ast.NextExpression() {
		switch n := f.ast.Expression(); n.Kind {
		case unstable.KeyValue:
			if table == "" || table == "limits." {
				f.keyValue(table, n)
			}
		default:
			table = keyOf(n.Key()) + "."
			if table != "limits." || n.Kind == unstable.ArrayTable {
				f.failUnknownTable(n.Child(), strings.TrimSuffix(table, "."))
				table = "unknown"
			}
		}
	}
	f.refuseShadowed()
	if more := len(f.errs) - maxErrors; more > 0 {
		f.errs = append(f.errs[:maxErrors], fmt.Errorf("%s: %d more mistakes", f.name, more))
	}
	if f.errs != nil {
		return errors.Join(f.errs...)
	}
	return f.checkSyntax(text)
}

// checkSyntax decodes the text, which finds syntax errors and keys that occur twice. It comes last:
// decoding takes time that grows with the square of the number of different keys, and once all keys
// are known they are few.
func (f *file) checkSyntax(text []byte) error {
	var whole map[string]any
	err := toml.Unmarshal(text, &whole)
	if err == nil {
		return nil
	}
	at := Origin{Source: f.name, Line: 1, Column: 1}
	if d := (*toml.DecodeError)(nil); errors.As(err, &d) {
		at.Line, at.Column = d.Position()
	}
	return &Error{at, clip(strings.TrimPrefix(err.Error(), "toml: ")),
		`the file is TOML, with rules in quotes: allow = ["connect tcp://api.example.com:443"]`}
}

// keyOf returns a dotted key. A part that contains a dot is quoted.
func keyOf(parts unstable.Iterator) string {
	var names []string
	for parts.Next() {
		name := string(parts.Node().Data)
		if strings.Contains(name, ".") {
			name = strconv.Quote(name)
		}
		names = append(names, name)
	}
	return strings.Join(names, ".")
}

// keyValue reads one "key = value" of a table. The table's name ends with a dot, or is "".
func (f *file) keyValue(table string, n *unstable.Node) {
	value := n.Value()
	key := value.Next()
	switch full := table + keyOf(n.Key()); full {
	case "allow":
		f.readList(Allow, key, value)
	case "deny":
		f.readList(Deny, key, value)
	case "limits":
		if value.Kind != unstable.InlineTable {
			f.fail(key, "write a table: [limits]", "limits is not a table")
			return
		}
		for it := value.Children(); it.Next(); {
			f.keyValue("limits.", it.Node())
		}
	case "limits.sockets":
		f.limits.Sockets = f.readCount(key, value, full)
	case "limits.socket_memory":
		f.limits.SocketMemory = f.readSize(key, value, full)
	case "limits.connects_per_second":
		f.limits.ConnectsPerSecond = f.readCount(key, value, full)
	case "limits.lookups_per_second":
		f.limits.LookupsPerSecond = f.readCount(key, value, full)
	case "limits.send_bytes_per_second":
		f.limits.SendBytesPerSecond = f.readSize(key, value, full)
	case "limits.recv_bytes_per_second":
		f.limits.RecvBytesPerSecond = f.readSize(key, value, full)
	default:
		f.failUnknownKey(key, full)
	}
}

// readList reads the rules of an allow or deny list.
func (f *file) readList(effect Effect, key, value *unstable.Node) {
	if value.Kind != unstable.Array {
		f.failNoList(key, effect)
		return
	}
	for it := value.Children(); it.Next(); {
		n := it.Node()
		if n.Kind != unstable.String {
			at := key
			if len(n.Data) > 0 {
				at = &unstable.Node{Raw: f.ast.Range(n.Data)}
			}
			f.fail(at, `write for instance "connect tcp://api.example.com:443"`,
				"%s holds something that is not a string", effect)
			continue
		}
		at := f.originOf(n)
		at.Column += openingQuotes(f.ast.Raw(n.Raw))
		text := string(n.Data)
		rule, err := parser{at}.rule(effect, splitWords(text), len(text))
		if err != nil {
			f.errs = append(f.errs, err)
			continue
		}
		f.rules, f.ruleRanges = append(f.rules, rule), append(f.ruleRanges, n.Raw)
	}
}

// readCount reads a number above 0.
func (f *file) readCount(key, value *unstable.Node, name string) int {
	n, ok := integer(value)
	if !ok || n > math.MaxInt32 {
		f.fail(key, "write for instance 100, or leave it out for no limit",
			"%s is not a whole number from 1 to %d", name, math.MaxInt32)
	}
	return int(n)
}

// readSize reads a number of bytes above 0: an integer, or a string with a unit.
func (f *file) readSize(key, value *unstable.Node, name string) int64 {
	n, ok := integer(value)
	hint := `write a size above 0 such as "10MiB", "500kB" or 1500, or leave it out for no limit`
	if value.Kind == unstable.String {
		size, err := bytesize.Parse(string(value.Data))
		n, ok = int64(size), err == nil && size <= math.MaxInt64
		if err != nil && !errors.Is(err, bytesize.ErrSyntax) {
			hint = err.Error()
		}
	}
	if !ok {
		f.fail(key, hint, "%s is not a size", name)
	}
	return n
}

// openingQuotes returns the number of quotes at the start of a string: 3 if it is a multi-line
// string.
func openingQuotes(raw []byte) int {
	if len(raw) >= 6 && raw[1] == raw[0] && raw[2] == raw[0] {
		return 3
	}
	return 1
}

// integer returns the value of an integer above 0.
func integer(value *unstable.Node) (int64, bool) {
	n, err := strconv.ParseInt(string(value.Data), 0, 64)
	return n, value.Kind == unstable.Integer && err == nil && n > 0
}

func (f *file) failNoList(key *unstable.Node, effect Effect) {
	f.fail(key, `write a list: `+effect.String()+` = ["connect tcp://api.example.com:443"]`,
		"%s is not a list", effect)
}

func (f *file) failUnknownTable(key *unstable.Node, name string) {
	for _, effect := range []Effect{Allow, Deny} {
		if name == effect.String() {
			f.failNoList(key, effect)
			return
		}
	}
	f.failUnknownKey(key, name)
}

func (f *file) failUnknownKey(key *unstable.Node, name string) {
	f.fail(key, "the keys are allow, deny, and in [limits] sockets, socket_memory, "+
		"connects_per_second, lookups_per_second, "+
		"send_bytes_per_second and recv_bytes_per_second", "there is no key %s", name)
}

func (f *file) originOf(n *unstable.Node) Origin {
	offset := int(n.Raw.Offset)
	line, start := f.lineOf(offset)
	return Origin{f.name, line + 1, offset - start + 1}
}

func (f *file) fail(n *unstable.Node, hint, problem string, args ...any) {
	f.errs = append(f.errs, parser{f.originOf(n)}.fail(0, hint, problem, args...))
}

// TOML returns the text of a policy file with the rules of [Policy.Rules] and the limits. [Parse]
// reads it back.
func (p *Policy) TOML() []byte {
	var b bytes.Buffer
	rules := p.Rules()
	for _, effect := range []Effect{Allow, Deny} {
		open := false
		for i := range rules {
			if rules[i].effect != effect {
				continue
			}
			if !open {
				b.WriteString(effect.String() + " = [\n")
				open = true
			}
			_, rule, _ := strings.Cut(rules[i].text, " ")
			b.WriteString("  \"" + rule + "\",\n")
		}
		if open {
			b.WriteString("]\n")
		}
	}
	b.WriteString(p.Limits().toml())
	return b.Bytes()
}
