package binary

import "fmt"

// A Kind tells why a component is refused.
type Kind uint8

// The kinds of errors.
const (
	// Malformed is for bytes that the component model gives no meaning to.
	Malformed Kind = iota

	// Invalid is for definitions that break a rule of the component model.
	Invalid

	// Unsupported is for features that are refused on purpose.
	Unsupported

	// TooMuch is for components beyond a limit of this implementation.
	TooMuch
)

// An Error tells a fault of a component and its position.
type Error struct {
	Kind Kind

	// Offset is the position in the whole binary, in bytes.
	Offset int

	// Text tells the fault. It may quote names of the component, as %q does.
	Text string
}

// Errorf makes an Error.
func Errorf(kind Kind, offset int, format string, args ...any) *Error {
	return &Error{kind, offset, fmt.Sprintf(format, args...)}
}

var kindTexts = [...]string{
	Malformed:   "malformed component",
	Invalid:     "invalid component",
	Unsupported: "unsupported component",
	TooMuch:     "component beyond a limit",
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s at offset %#x", kindTexts[e.Kind], e.Text, e.Offset)
}
