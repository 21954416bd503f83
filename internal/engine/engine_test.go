package engine

import (
	"context"
	"strings"
	"testing"
)

// empty is the smallest module.
var empty = []byte("\x00asm\x01\x00\x00\x00")

// TestRefusesWhatCannotBeStopped gives the engine modules that wazero takes, and rewriting does
// not.
func TestRefusesWhatCannotBeStopped(t *testing.T) {
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
		{"our own import", types + "\x02\x1a\x01\x11" + module + "\x04tick\x00\x00", "reserved"},
		// ref.null exn, drop: a type of the exception handling that it may not use
		{"a type it may not have", types + "\x03\x02\x01\x00" +
			"\x0a\x07\x01\x05\x00\xd0\x69\x1a\x0b", "heap type 0x69"},
	} {
		binary := append(append([]byte{}, empty...), test.sections...)
		compiled, err := e.runtime.CompileModule(ctx, binary)
		if err != nil {
			t.Fatalf("%s: wazero does not take it: %v", test.name, err)
		}
		compiled.Close(ctx)
		if _, err := e.Compile(ctx, binary, CompileOptions{}); err == nil ||
			!strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: the error is %v", test.name, err)
		}
	}
}
