package policy

import (
	"bytes"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Merge adds allow rules to the text of a policy file. They go to the end of its allow list; a file
// without one gets a list. The rest of the text, comments and layout included, stays as it is.
// Merge leaves out deny rules and rules that the file has, and returns the number of added rules;
// if that is 0, merged is text. Errors call the file by name. It is an error if the text is not a
// policy, or if a deny rule of the file refuses a new rule completely.
func Merge(name string, text []byte, rules []Rule) (merged []byte, added int, err error) {
	f := file{name: name}
	if err := f.read(text); err != nil {
		return nil, 0, err
	}
	has := make(map[string]bool)
	for _, r := range f.rules {
		has[r.text] = true
	}
	rules = slices.DeleteFunc(slices.Clone(rules), func(r Rule) bool {
		return r.effect != Allow || has[r.text]
	})
	if len(rules) == 0 {
		return text, 0, nil
	}
	merged = f.insert(text, rules)
	if _, err := Parse(name, merged); err != nil {
		return nil, 0, err
	}
	return merged, len(rules), nil
}

// insert returns text with rules at the end of the allow list.
func (f *file) insert(text []byte, rules []Rule) []byte {
	newline := "\n"
	if bytes.Contains(text, []byte("\r\n")) {
		newline = "\r\n"
	}
	lines := func(indent string) string {
		var b strings.Builder
		for i := range rules {
			_, rule, _ := strings.Cut(rules[i].text, " ")
			b.WriteString(indent + `"` + rule + `",` + newline)
		}
		return b.String()
	}
	list, header := f.findAllow(text)
	if list == nil {
		block := "allow = [" + newline + lines("  ") + "]" + newline
		before, after := text[:header], text[header:]
		if len(before) > 0 && before[len(before)-1] != '\n' {
			block = newline + block
		}
		if len(after) > 0 {
			block += newline
		}
		return slices.Concat(before, []byte(block), after)
	}
	end := list.open + 1 // the end of the last element, or of the bracket
	indent := "  "
	for _, at := range list.elements {
		end = int(at.Offset + at.Length)
		if _, line := f.lineOf(int(at.Offset)); len(bytes.TrimSpace(text[line:at.Offset])) == 0 {
			indent = string(text[line:at.Offset])
		}
	}
	closing, comma := closingBracket(text, end)
	before := slices.Clone(text[:end])
	if len(list.elements) > 0 && !comma {
		before = append(before, ',')
	}
	if _, line := f.lineOf(closing); line >= end && len(bytes.TrimSpace(text[line:closing])) == 0 {
		return slices.Concat(before, text[end:line], []byte(lines(indent)), text[line:])
	}
	return slices.Concat(before, text[end:closing], []byte(newline+lines(indent)), text[closing:])
}

// allowList is the place of the list of allow rules in the text.
type allowList struct {
	// open is the offset of the opening bracket.
	open     int
	elements []unstable.Range
}

// findAllow finds the allow list. If there is none, it returns the offset at which a new list can
// stand: before the first table and the comment above it, or at the end.
func (f *file) findAllow(text []byte) (list *allowList, header int) {
	f.ast.Reset(text)
	for f.ast.NextExpression() {
		n := f.ast.Expression()
		if n.Kind != unstable.KeyValue {
			key := n.Key()
			key.Next()
			_, header = f.lineOf(int(key.Node().Raw.Offset))
			for header > 0 {
				_, above := f.lineOf(header - 1)
				if !bytes.HasPrefix(bytes.TrimSpace(text[above:header]), []byte("#")) {
					break
				}
				header = above
			}
			return nil, header
		}
		if keyOf(n.Key()) != "allow" {
			continue
		}
		key := n.Key()
		key.Next()
		at := int(key.Node().Raw.Offset + key.Node().Raw.Length)
		list := &allowList{open: at + bytes.IndexByte(text[at:], '[')} // only "=" is between
		for it := n.Value().Children(); it.Next(); {
			list.elements = append(list.elements, it.Node().Raw)
		}
		return list, 0
	}
	return nil, len(text)
}

// lineOf returns the line, from 0, that contains the byte at an offset, and the offset of its
// start.
func (f *file) lineOf(offset int) (line, start int) {
	line, exact := slices.BinarySearch(f.lines, offset)
	if !exact {
		line--
	}
	return line, f.lines[line]
}

// closingBracket finds the bracket that closes a list, from the end of its last element on. Only
// space, comments and a comma may stand between; comma tells whether there was one.
func closingBracket(text []byte, at int) (closing int, comma bool) {
	for ; text[at] != ']'; at++ {
		switch text[at] {
		case ',':
			comma = true
		case '#':
			at += bytes.IndexByte(text[at:], '\n')
		}
	}
	return at, comma
}
