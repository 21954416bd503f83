package wasport

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/printable"
)

// Function is the name and signature of an exported function.
type Function struct {
	Name            string
	Params, Results []api.ValueType
}

// Function returns the exported function with that name.
func (m *Module) Function(name string) (Function, error) {
	e, err := m.module.Entry(name)
	return Function(e), err
}

// Parse parses arguments, decimal or hexadecimal with 0x, into raw values of WebAssembly.
func (f Function) Parse(args []string) ([]uint64, error) {
	if len(args) != len(f.Params) {
		return nil, fmt.Errorf("function %s takes %d arguments, not %d", printable.Name(f.Name),
			len(f.Params), len(args))
	}
	values := make([]uint64, len(args))
	for i, s := range args {
		v, err := parse(f.Params[i], s)
		if err != nil {
			return nil, fmt.Errorf("argument %d of %s: %q is not of type %s", i+1,
				printable.Name(f.Name), s, api.ValueTypeName(f.Params[i]))
		}
		values[i] = v
	}
	return values, nil
}

func parse(t api.ValueType, s string) (uint64, error) {
	switch t {
	case api.ValueTypeI32:
		return parseInt(s, 32)
	case api.ValueTypeI64:
		return parseInt(s, 64)
	case api.ValueTypeF32:
		v, err := strconv.ParseFloat(s, 32)
		return api.EncodeF32(float32(v)), err
	case api.ValueTypeF64:
		v, err := strconv.ParseFloat(s, 64)
		return api.EncodeF64(v), err
	}
	return 0, strconv.ErrSyntax
}

// parseInt accepts the range of signed and of unsigned numbers.
func parseInt(s string, bits int) (uint64, error) {
	if v, err := strconv.ParseUint(s, 0, bits); err == nil {
		return v, nil
	}
	v, err := strconv.ParseInt(s, 0, bits)
	return uint64(v) & (math.MaxUint64 >> (64 - bits)), err
}

// Format formats results as iwasm does: 0x3:i32,2.5:f64.
func (f Function) Format(results []uint64) string {
	text := make([]string, len(results))
	for i, v := range results {
		t := f.Results[i]
		switch t {
		case api.ValueTypeF32:
			text[i] = strconv.FormatFloat(float64(api.DecodeF32(v)), 'g', -1, 32)
		case api.ValueTypeF64:
			text[i] = strconv.FormatFloat(api.DecodeF64(v), 'g', -1, 64)
		default:
			text[i] = "0x" + strconv.FormatUint(v, 16)
		}
		text[i] += ":" + api.ValueTypeName(t)
	}
	return strings.Join(text, ",")
}
