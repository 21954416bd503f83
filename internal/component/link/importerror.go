package link

import (
	"fmt"
	"strings"
)

// An ImportError lists the imports of a component that the host does not have.
type ImportError struct {
	Lacking []Lacking
}

// A Lacking is one import that the host cannot supply.
type Lacking struct {
	// Interface is the name of the import with version, as the component spells it. It may be the
	// name of an import that is no interface.
	Interface string

	// Item is the name of the function or type in the interface, or empty for all of it.
	Item string

	// Want and Have are the types in the spelling of WIT. Both are set, or there is a Reason.
	Want, Have string

	// Reason tells the fault where it does not follow from the types.
	Reason string
}

func (e *ImportError) Error() string {
	var b strings.Builder
	b.WriteString("the component imports what the host does not have:")
	for _, l := range e.Lacking {
		b.WriteString("\n  ")
		b.WriteString(l.String())
	}
	return b.String()
}

// String returns a line for one import.
func (l Lacking) String() string {
	name := l.Interface
	if l.Item != "" {
		name += "#" + l.Item
	}
	switch {
	case l.Reason != "" && l.Want != "":
		return fmt.Sprintf("%s: %s; its type is %s", name, l.Reason, l.Want)
	case l.Reason != "":
		return fmt.Sprintf("%s: %s", name, l.Reason)
	}
	return fmt.Sprintf("%s: got %s, want %s", name, l.Have, l.Want)
}
