package engine

import (
	"context"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// empty is the smallest module.
var empty = []byte("\x00asm\x01\x00\x00\x00")

func TestCloseClosesBothRuntimes(t *testing.T) {
	ctx := context.Background()
	e, err := New(ctx, Config{})
	if err != nil {
		t.Fatal(err)
	}
	instantiate := func(rt wazero.Runtime) (api.Module, error) {
		return rt.InstantiateWithConfig(ctx, empty, instance())
	}
	for _, rt := range []wazero.Runtime{e.runtime, e.checked(ctx)} {
		if _, err := instantiate(rt); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(ctx); err != nil {
		t.Fatal(err)
	}
	for i, rt := range []wazero.Runtime{e.runtime, e.checked(ctx)} {
		if _, err := instantiate(rt); err == nil {
			t.Errorf("runtime %d still works", i)
		}
	}
}

// TestRefusesWhatCannotBeStopped gives the engine a module that wazero takes, and rewriting does not.
func TestRefusesWhatCannotBeStopped(t *testing.T) {
	ctx := context.Background()
	e, err := New(ctx, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(ctx)
	const name = "wasport:counter"
	global := "\x06\x06\x01\x7f\x01\x41\x00\x0b" // a mutable i32
	export := "\x07\x13\x01\x0f" + name + "\x03\x00"
	binary := append(append([]byte{}, empty...), global+export...)
	if _, err := e.runtime.CompileModule(ctx, binary); err != nil {
		t.Fatalf("wazero does not take it: %v", err)
	}
	if _, err := e.Compile(ctx, binary, CompileOptions{}); err == nil || !strings.Contains(err.Error(), "reserved") {
		t.Errorf("the error is %v", err)
	}
}
