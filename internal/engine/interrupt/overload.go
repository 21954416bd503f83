package interrupt

import (
	"strconv"
	"strings"
)

// renamedImport is an import that gets another name.
type renamedImport struct {
	// start and end are the offsets of the old name in the import section.
	start, end int
	name       string
}

// overloadSeparator separates an import's name from the index of its type. No name of a host
// function contains it.
const overloadSeparator = "\x00"

// overloadName makes a name for an import of a type. A module may import functions of one name and
// several types, for instance if its parts use two versions of an interface. A host module of
// wazero's has one function per name.
func overloadName(name string, typ uint32) string {
	return name + overloadSeparator + strconv.FormatUint(uint64(typ), 10)
}

// ImportedName returns the name under which the input of Rewrite imports a function. The argument
// is the name in the output.
func ImportedName(name string) string {
	name, _, _ = strings.Cut(name, overloadSeparator)
	return name
}
