// Package printable makes names that a module or a file system has chosen fit for a terminal: an
// escape sequence in one could otherwise rewrite what the terminal shows, and a line feed forge a
// line.
package printable

import (
	"strconv"
	"strings"
	"unicode"
)

// Name is a name as it can be shown: quoted if it has anything that does not print, such as an
// escape sequence, or that could pass for a quoted name.
func Name(name string) string {
	quoted := strconv.Quote(name)
	if quoted == `"`+name+`"` {
		return name
	}
	return quoted
}

// Error is an error whose text is a line that has names in it.
func Error(err error) error { return textError{err} }

type textError struct{ error }

func (e textError) Error() string { return Text(e.error.Error()) }
func (e textError) Unwrap() error { return e.error }

// Text is a line that has names in it, with what does not print escaped.
func Text(text string) string {
	plain := func(r rune) bool { return strconv.IsPrint(r) && r != unicode.ReplacementChar }
	if strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		if plain(r) {
			b.WriteRune(r)
			continue
		}
		// A byte that is no UTF-8 is a ReplacementChar of length 1.
		end := i + len(string(r))
		if r == unicode.ReplacementChar && !strings.HasPrefix(text[i:], string(r)) {
			end = i + 1
		}
		quoted := strconv.Quote(text[i:end])
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
