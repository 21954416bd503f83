package binary

// Limits of a component. They keep hostile ones small in memory; tools stay far below them.
const (
	maxSize    = 256 << 20 // bytes of a component
	maxNesting = 100       // components and declarations of types in each other
	maxTypes   = 50_000    // types in all of the binary, declarations included
	maxNames   = 20_000    // imports, exports and arguments in all of the binary, likewise
	maxItems   = 100_000   // items in one index space
	maxFields  = 1_000     // fields, cases, labels, parameters of one type
	maxLabel   = 1_000     // bytes of a label
	maxDecls   = 10_000    // imports and exports of one type of an instance or component
)

// totals count in all of a binary.
type totals struct {
	types, names int
}
