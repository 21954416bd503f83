package link

import "testing"

// Types of instances. That which names types only has none that refers to them.
var (
	namesRecord   = join(0x42, 2, 1, record, 4, 0, "r", 3, 0, 0)
	namesResource = join(0x42, 1, 4, 0, "r", fresh)

	usesRecord   = join(0x42, 4, 1, record, 4, 0, "r", 3, 0, 0, 1, typeFn(1), 4, 0, "f", 1, 2)
	usesResource = join(0x42, 4, 4, 0, "r", fresh, 1, 0x69, 0, 1, typeFn(1), 4, 0, "f", 1, 2)
	listsRecord  = join(0x42, 4, 1, record, 4, 0, "r", 3, 0, 0, 1, 0x70, 1, 4, 0, "l", 3, 0, 2)
	ownsResource = join(0x42, 3, 4, 0, "r", fresh, 1, 0x69, 0, 4, 0, "o", 3, 0, 1)
	usesPlain    = join(0x42, 2, 1, stringFn, 4, 0, "f", 1, 0)

	// usesOuter has a function of type 1 of the scope around it.
	usesOuter = join(0x42, 3, 2, 3, 2, 1, 1, 1, typeFn(0), 4, 0, "f", 1, 1)

	// outerResource exports the resource type 0 of the scope around it.
	outerResource = join(0x42, 2, 2, 3, 2, 1, 0, 4, 0, "r", 3, 0, 0)
)

// holds is the type of instances that export type 0, t, as the description says.
func holds(t []byte, desc ...any) []byte {
	return join(0x42, 2, 1, t, 4, 0, "x", join(desc...))
}

// named are types with what becomes of an import or export of the type.
var named = []struct {
	name  string
	types [][]byte
	valid bool
}{
	{"list of a record", [][]byte{record, join(0x70, 0)}, false},
	{"list of text", [][]byte{join(0x70, 0x73)}, true},
	{"option of flags", [][]byte{join(0x6e, 1, "a"), join(0x6b, 0)}, false},
	{"tuple of an enum", [][]byte{join(0x6d, 1, "a"), join(0x6f, 1, 0)}, false},
	{"record of a variant", [][]byte{join(0x71, 1, "a", 0, 0), join(0x72, 1, "b", 0)}, false},
	{"variant of a record", [][]byte{record, join(0x71, 1, "b", 1, 0, 0)}, false},
	{"result of a record", [][]byte{record, join(0x6a, 1, 0, 0)}, false},
	{"error of a record", [][]byte{record, join(0x6a, 0, 1, 0)}, false},
	{"list of tuples of a record",
		[][]byte{record, join(0x6f, 1, 0), join(0x70, 1)}, false},
	{"list of tuples", [][]byte{join(0x6f, 1, 0x7d), join(0x70, 0)}, true},
	{"function of a record", [][]byte{record, typeFn(0)}, false},
	{"function to a record", [][]byte{record, join(0x40, 0, 0, 0)}, false},
	{"function of a list of a record", [][]byte{record, join(0x70, 0), typeFn(1)}, false},
	{"function of text", [][]byte{stringFn}, true},

	{"instance that names a record", [][]byte{namesRecord}, true},
	{"instance that names a resource", [][]byte{namesResource}, true},
	{"instance with a function of its record", [][]byte{usesRecord}, false},
	{"instance with a function of its resource", [][]byte{usesResource}, false},
	{"instance with a list of its record", [][]byte{listsRecord}, false},
	{"instance with a handle of its resource", [][]byte{ownsResource}, false},
	{"instance with a function of text", [][]byte{usesPlain}, true},
	{"instance with an instance", [][]byte{holds(usesRecord, 5, 0)}, false},
	{"instance with an instance that names", [][]byte{holds(namesRecord, 5, 0)}, true},
	{"instance with a type of instances", [][]byte{holds(usesResource, 3, 0, 0)}, false},
	{"instance with a type of instances that names",
		[][]byte{holds(namesResource, 3, 0, 0)}, true},

	// Components are closed.
	{"component that imports an instance", [][]byte{join(0x41, 2, 1, usesRecord,
		3, 0, "i", 5, 0)}, true},
	{"component that exports an instance", [][]byte{join(0x41, 2, 1, usesResource,
		4, 0, "i", 5, 0)}, true},
	{"component that imports a type of instances", [][]byte{join(0x41, 2, 1, usesRecord,
		3, 0, "t", 3, 0, 0)}, false},
	{"component that exports a type of instances", [][]byte{join(0x41, 2, 1, usesResource,
		4, 0, "t", 3, 0, 0)}, false},
	{"component that exports a type of instances that names", [][]byte{join(0x41, 2, 1,
		namesResource, 4, 0, "t", 3, 0, 0)}, true},
}

// TestNamedTypes imports and exports types, which must refer to imported or exported types only.
func TestNamedTypes(t *testing.T) {
	for _, tt := range named {
		want := "refers to a type that is not "
		if tt.valid {
			want = ""
		}
		last := len(tt.types) - 1
		all := types(tt.types...)
		t.Run(tt.name, func(t *testing.T) {
			checkValidity(t, comp(all, imports(join(0, "t", 3, 0, last))), want)
			checkValidity(t, comp(all, exports(join(0, "t", 3, last, 0))), want)
			items := section(5, 1, 1, 1, 0, "t", 3, last)
			checkValidity(t, comp(all, items, exports(join(0, "i", 5, 0, 0))), want)
		})
	}
}

// typesOfInstances are components in which types of instances are imported or exported. An
// instance of such a type has names for what it refers to, where the type has not.
var typesOfInstances = []struct {
	name string
	b    []byte
	text string
}{
	{"instance", comp(types(usesResource), imports(join(0, "i", 5, 0))), ""},
	{"exported instance", comp(types(usesRecord), imports(join(0, "i", 5, 0)),
		exports(join(0, "j", 5, 0, 0))), ""},
	{"type that names an outer record", comp(types(record), imports(join(0, "r", 3, 0, 0)),
		types(usesOuter), imports(join(0, "t", 3, 0, 2))), ""},
	{"type that names an outer record without a name", comp(types(record, record, usesOuter),
		imports(join(0, "t", 3, 0, 2))), "not imported"},
	{"export of an outer record that is imported", comp(types(record),
		imports(join(0, "r", 3, 0, 0)), types(usesOuter), exports(join(0, "t", 3, 2, 0))), ""},
	{"import of an outer record that is exported", comp(types(record),
		exports(join(0, "r", 3, 0, 0)), types(usesOuter), imports(join(0, "t", 3, 0, 2))),
		"not imported"},
	{"instance of a type with a type", comp(types(holds(usesRecord, 3, 0, 0)),
		imports(join(0, "i", 5, 0))), "not imported"},
	{"instance of a type with an instance", comp(types(holds(usesRecord, 5, 0)),
		imports(join(0, "i", 5, 0))), ""},
	{"instances of a type that was imported", comp(types(namesResource),
		imports(join(0, "t", 3, 0, 0), join(0, "i", 5, 1), join(0, "j", 5, 1)),
		aliases(join(3, 0, 0, "r"), join(3, 0, 1, "r")),
		exports(join(0, "x", 3, 2, 1, 3, 0, 3))), "the resource types are not the same"},
	{"type that exports the own resource", comp(types(resource, outerResource),
		exports(join(0, "t", 3, 1, 0))), "a resource type that is not exported"},
	{"item that exports the own resource", comp(types(resource, outerResource),
		section(5, 1, 1, 1, 0, "t", 3, 1), exports(join(0, "i", 5, 0, 0))),
		"a resource type that is not exported"},
	{"item that exports an exported resource", comp(types(resource),
		exports(join(0, "q", 3, 0, 0)), types(outerResource),
		section(5, 1, 1, 1, 0, "t", 3, 2), exports(join(0, "i", 5, 0, 0))), ""},
	{"handle of an alias", comp(types(namesResource), imports(join(0, "i", 5, 0)),
		aliases(join(3, 0, 0, "r")), types(join(0x69, 1), typeFn(2)),
		imports(join(0, "f", 1, 3))), ""},
	{"handle of a resource before its export", comp(types(resource),
		exports(join(0, "r", 3, 0, 0)), types(join(0x69, 0)), exports(join(0, "o", 3, 2, 0))),
		"not exported"},
	{"handle of a resource after its export", comp(types(resource),
		exports(join(0, "r", 3, 0, 0)), types(join(0x69, 1)), exports(join(0, "o", 3, 2, 0))), ""},
}

func TestTypesOfInstances(t *testing.T) {
	for _, tt := range typesOfInstances {
		t.Run(tt.name, func(t *testing.T) { checkValidity(t, tt.b, tt.text) })
	}
}

// TestTypeIsNoInterface plans a component that imports the type of instances: the host need not
// have an interface of the name.
func TestTypeIsNoInterface(t *testing.T) {
	b := comp(types(usesPlain), imports(join(0, "a:b/c", 3, 0, 0)))
	if p, err := plan(t, b, emptyWorld{}, false); err != nil || len(p.Imports) > 0 {
		t.Errorf("got %+v and %v, want no imports", p, err)
	}
}
