// Package printable makes names from modules and file systems safe for terminals. Otherwise an
// escape sequence in a name could rewrite the screen, and a line feed could forge a line. The
// package has no state.
package printable

import (
	"strconv"
	"strings"
	"unicode"
)

// Name returns a name for display. It quotes a name that contains characters that do not print, and
// one that looks like a quoted name.
func Name(name string) string {
	quoted := strconv.Quote(name)
	if quoted == `"`+name+`"` {
		return name
	}
	return quoted
}

// Error wraps an error with names in its text; its own text is safe.
func Error(err error) error { return textError{err} }

type textError struct{ error }

func (e textError) Error() string { return Text(e.error.Error()) }
func (e textError) Unwrap() error { return e.error }

// Text escapes the characters of a line that do not print.
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
		// An invalid byte appears as a ReplacementChar, but is only one byte long.
		end := i + len(string(r))
		if r == unicode.ReplacementChar && !strings.HasPrefix(text[i:], string(r)) {
			end = i + 1
		}
		quoted := strconv.Quote(text[i:end])
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
