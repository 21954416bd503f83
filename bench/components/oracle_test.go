package components

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/component/wit"
)

// oracleBase is where the memory of the oracles' values begins.
const oracleBase = 1024

// oracleType is a type of an oracle.
type oracleType struct {
	Kind, Prim, Name string
	Len              *int
	Elem, Key, Value *oracleType
	OK, Err          *oracleType
	Elems            []*oracleType
	Fields, Cases    json.RawMessage
	Names            []string
	Params           []oracleField
	Results          struct {
		Unnamed *oracleType
		Named   []oracleField
	}
}

type oracleField struct {
	Name string
	Type *oracleType
}

// oracle has the types of an oracle by name.
type oracle map[string]*wit.Type

// errFixed marks lists of fixed length, which are not supported.
var errFixed = fmt.Errorf("a list of fixed length")

// readOracle reads one of wazy's files with values and their forms, which the reference
// implementation of the canonical ABI computed.
func readOracle(t *testing.T, name string, to any) {
	t.Helper()
	dir, err := wasip2()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "..", "..", "..", "internal", "component", "abi", "testdata", name)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, to); err != nil {
		t.Fatal(err)
	}
}

var primitives = map[string]*wit.Type{"bool": wit.Bool, "s8": wit.S8, "u8": wit.U8, "s16": wit.S16,
	"u16": wit.U16, "s32": wit.S32, "u32": wit.U32, "s64": wit.S64, "u64": wit.U64, "f32": wit.F32,
	"f64": wit.F64, "char": wit.Char, "string": wit.String}

func (o oracle) typ(t *oracleType) (*wit.Type, error) {
	if t == nil {
		return nil, nil
	}
	switch t.Kind {
	case "primitive":
		return primitives[t.Prim], nil
	case "ref":
		if o[t.Name] == nil {
			return nil, errFixed
		}
		return o[t.Name], nil
	case "own":
		return wit.Own(&wit.Resource{}), nil
	case "borrow":
		return wit.Borrow(&wit.Resource{}), nil
	case "flags":
		return wit.Flags(t.Names)
	case "enum":
		labels := t.Names
		if labels == nil {
			if err := json.Unmarshal(t.Cases, &labels); err != nil {
				return nil, err
			}
		}
		return wit.Enum(labels)
	case "record", "variant":
		return o.fields(t)
	}
	if t.Len != nil {
		return nil, errFixed
	}
	return o.generic(t)
}

func (o oracle) fields(t *oracleType) (*wit.Type, error) {
	raw, made := t.Fields, wit.Record
	if t.Kind == "variant" {
		raw, made = t.Cases, wit.Variant
	}
	var fields []oracleField
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, err
	}
	parts := make([]wit.Field, len(fields))
	for i, f := range fields {
		part, err := o.typ(f.Type)
		if err != nil {
			return nil, err
		}
		parts[i] = wit.Field{Name: f.Name, Type: part}
	}
	return made(parts)
}

// generic makes a type of types. A map has the layout of a list of pairs.
func (o oracle) generic(t *oracleType) (*wit.Type, error) {
	of := []*oracleType{t.Elem, t.OK, t.Err, t.Key, t.Value}
	parts := make([]*wit.Type, len(of))
	for i, part := range append(of, t.Elems...) {
		made, err := o.typ(part)
		if err != nil {
			return nil, err
		}
		if i < len(of) {
			parts[i] = made
		} else {
			parts = append(parts, made)
		}
	}
	switch t.Kind {
	case "tuple":
		return wit.Tuple(parts[len(of):]...)
	case "list":
		return wit.List(parts[0])
	case "option":
		return wit.Option(parts[0])
	case "result":
		return wit.Result(parts[1], parts[2])
	case "map":
		pair, err := wit.Tuple(parts[3], parts[4])
		if err != nil {
			return nil, err
		}
		return wit.List(pair)
	}
	return nil, fmt.Errorf("unknown kind %s", t.Kind)
}

// TestOracleOfLayouts compares size, alignment and flat types.
func TestOracleOfLayouts(t *testing.T) {
	var types struct{ Types []oracleField }
	var want map[string]struct {
		Alignment, Size uint32
		Flatten         []string
		Kind            string
	}
	readOracle(t, "oracle_types.json", &types)
	readOracle(t, "oracle_golden.json", &want)
	o, compared := oracle{}, 0
	for _, row := range types.Types {
		if row.Type.Kind == "func" {
			continue
		}
		typ, err := o.typ(row.Type)
		if err == errFixed {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		o[row.Name] = typ
		w := want[row.Name]
		if typ.Size() != w.Size || typ.Align() != w.Alignment {
			t.Errorf("%s: got size and alignment %d, %d, want %d, %d", row.Name, typ.Size(),
				typ.Align(), w.Size, w.Alignment)
		}
		if got := fmt.Sprint(typ.Flat()); got != fmt.Sprint(w.Flatten) {
			t.Errorf("%s: got flat types %s, want %s", row.Name, got, w.Flatten)
		}
		compared++
	}
	t.Logf("compared %d types", compared)
	if compared < 35 {
		t.Errorf("compared %d types, want at least 35", compared)
	}
}

// oracleMemory is a memory whose allocator gives one place after another.
type oracleMemory struct {
	bytes []byte
	next  uint32
}

func (m *oracleMemory) View() []byte { return m.bytes }

func (m *oracleMemory) Call(_ context.Context, stack []uint64) error {
	align, size := uint32(stack[2]), uint32(stack[3])
	m.next = (m.next + align - 1) &^ (align - 1)
	stack[0] = uint64(m.next)
	m.next += size
	return nil
}

func (m *oracleMemory) options() canon.Options {
	return canon.Options{Instance: new(canon.Guest).NewInstance(1, nil), Memory: m, Realloc: m}
}

// core is a core function.
type core func(stack []uint64)

func (f core) Call(_ context.Context, stack []uint64) error {
	f(stack)
	return nil
}

// lower passes a value to a guest, and returns the core values and the guest's memory.
func lower(t *testing.T, typ *wit.Type, v canon.Value) ([]uint64, *oracleMemory) {
	t.Helper()
	m := &oracleMemory{bytes: make([]byte, 1<<16), next: oracleBase}
	var flat []uint64
	f := &canon.Lifted{Signature: signature(t, typ), Options: m.options(),
		Core: core(func(stack []uint64) { flat = append(flat, stack[:typ.FlatCount()]...) })}
	if _, err := f.Call(t.Context(), []canon.Value{v}); err != nil {
		t.Fatal(err)
	}
	return flat, m
}

// lift takes a value from a guest.
func lift(t *testing.T, typ *wit.Type, flat []uint64, m *oracleMemory) (v canon.Value) {
	t.Helper()
	f := canon.Lowered{Signature: signature(t, typ), Options: m.options(),
		Host: &canon.HostFunc{Generic: func(c *canon.Call) error {
			v = c.Arg(0)
			return nil
		}}}
	if err := f.Call(t.Context(), flat); err != nil {
		t.Fatal(err)
	}
	return v
}

func signature(t *testing.T, typ *wit.Type) *canon.Signature {
	t.Helper()
	s, err := canon.NewSignature(&wit.Func{Params: []wit.Param{{Name: "v", Type: typ}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestOracleOfValues compares the core values and the memory of values, then reads them and writes
// them again.
func TestOracleOfValues(t *testing.T) {
	var in struct {
		Types  []oracleField
		Values []struct {
			Name, Type string
			Value      json.RawMessage
		}
	}
	var golden []struct {
		Name     string
		CoreVals []struct{ Bits uint64 } `json:"core_vals"`
		MemHex   string                  `json:"mem_hex"`
	}
	readOracle(t, "oracle_flat.json", &in)
	readOracle(t, "oracle_flat_golden.json", &golden)
	o, compared := oracle{}, 0
	for _, row := range in.Types {
		if typ, err := o.typ(row.Type); err == nil {
			o[row.Name] = typ
		} else if err != errFixed {
			t.Fatal(err)
		}
	}
	for i, row := range in.Values {
		typ := o[row.Type]
		if typ == nil {
			continue
		}
		compared++
		t.Run(row.Name, func(t *testing.T) {
			var want []uint64
			for _, c := range golden[i].CoreVals {
				want = append(want, c.Bits)
			}
			v := oracleValue(t, typ, row.Value)
			for range 2 {
				flat, m := lower(t, typ, v)
				if fmt.Sprint(flat) != fmt.Sprint(want) {
					t.Errorf("got core values %x, want %x", flat, want)
				}
				got := hex.EncodeToString(m.bytes[oracleBase:m.next])
				if got != golden[i].MemHex {
					t.Errorf("got memory %s, want %s", got, golden[i].MemHex)
				}
				v = lift(t, typ, flat, m)
			}
		})
	}
	t.Logf("compared %d values", compared)
	if compared < 80 {
		t.Errorf("compared %d values, want at least 80", compared)
	}
}

// oracleValue makes a value of its JSON. Numbers beyond 2^53 are strings there.
func oracleValue(t *testing.T, typ *wit.Type, raw json.RawMessage) canon.Value {
	t.Helper()
	switch typ.Kind() {
	case wit.KindBool:
		return canon.Bool(string(raw) == "true")
	case wit.KindString:
		return canon.Text(decode[string](t, raw))
	case wit.KindF32:
		return canon.Float32(decode[float32](t, raw))
	case wit.KindF64:
		return canon.Float64(decode[float64](t, raw))
	case wit.KindEnum:
		return canon.Case(decode[int](t, raw))
	case wit.KindList, wit.KindRecord, wit.KindTuple:
		return oracleItems(t, typ, raw)
	case wit.KindOption:
		if string(raw) == "null" {
			return canon.None()
		}
		return canon.Some(oracleValue(t, typ.Elem(), raw))
	case wit.KindVariant, wit.KindResult:
		return oracleCase(t, typ, raw)
	}
	text := string(bytes.Trim(raw, `"`))
	if n, err := strconv.ParseUint(text, 0, 64); err == nil {
		return canon.Uint(n)
	}
	n, err := strconv.ParseInt(text, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	return canon.Int(n)
}

func oracleItems(t *testing.T, typ *wit.Type, raw json.RawMessage) canon.Value {
	t.Helper()
	parts := decode[[]json.RawMessage](t, raw)
	items := make([]canon.Value, len(parts))
	for i, part := range parts {
		if typ.Kind() == wit.KindList {
			items[i] = oracleValue(t, typ.Elem(), part)
		} else {
			items[i] = oracleValue(t, typ.Fields()[i].Type, part)
		}
	}
	return canon.List(items)
}

// oracleCase makes a case with its payload: an object whose key is the case.
func oracleCase(t *testing.T, typ *wit.Type, raw json.RawMessage) canon.Value {
	t.Helper()
	object := decode[map[string]json.RawMessage](t, raw)
	for i := range typ.Cases() {
		name := []string{"ok", "err"}[i&1]
		if typ.Kind() == wit.KindVariant {
			name = typ.Fields()[i].Name
		}
		payload, ok := object[name]
		switch {
		case ok && typ.Case(i) != nil:
			return canon.CaseOf(i, oracleValue(t, typ.Case(i), payload))
		case ok:
			return canon.Case(i)
		}
	}
	t.Fatalf("%s has no case of %s", typ, raw)
	return canon.Value{}
}

func decode[T any](t *testing.T, raw json.RawMessage) (v T) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
