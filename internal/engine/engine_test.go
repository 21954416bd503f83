package engine

import (
	"context"
	"strings"
	"testing"
)

// empty is the smallest module.
var empty = []byte("\x00asm\x01\x00\x00\x00")

// TestModuleThatOnlyWazeroAccepts compiles modules that wazero accepts and interrupt.Rewrite
// refuses.
func TestModuleThatOnlyWazeroAccepts(t *testing.T) {
	const (
		module = "wasport:interrupt"
		types  = "\x01\x04\x01\x60\x00\x00" // () -> ()
	)
	ctx := context.Background()
	e, err := New(ctx, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(ctx)
	for _, test := range []struct{ name, sections, want string }{
		{"reserved import", types + "\x02\x1a\x01\x11" + module + "\x04tick\x00\x00", "reserved"},
		// The code is ref.null exn, drop. The type belongs to the exception handling proposal.
		{"type of a disabled proposal", types + "\x03\x02\x01\x00" +
			"\x0a\x07\x01\x05\x00\xd0\x69\x1a\x0b", "heap type 0x69"},
	} {
		t.Run(test.name, func(t *testing.T) {
			binary := append(append([]byte{}, empty...), test.sections...)
			compiled, err := e.runtime.CompileModule(ctx, binary)
			if err != nil {
				t.Fatalf("compiling with wazero: got %v, want no error", err)
			}
			compiled.Close(ctx)
			_, err = e.Compile(ctx, binary, CompileOptions{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}
