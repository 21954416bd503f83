package interrupt

import (
	"strconv"
	"strings"
)

// renamedImport is an import whose name, at these offsets of its section, is replaced.
type renamedImport struct {
	start, end int
	name       string
}

// overloadSeparator separates an import's name from the index of its type. No host function's name has
// it.
const overloadSeparator = "\x00"

// overloadName makes one name of a name and a type. A module may import functions of one name and
// several types, as those do that mix two versions of an interface; a host module of wazero's has
// one function for a name.
func overloadName(name string, typ uint32) string {
	return name + overloadSeparator + strconv.FormatUint(uint64(typ), 10)
}

// ImportedName is the name under which the input of Rewrite imports a function, given the one in
// its result.
func ImportedName(name string) string {
	name, _, _ = strings.Cut(name, overloadSeparator)
	return name
}
