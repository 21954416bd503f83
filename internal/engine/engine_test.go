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
	const module = "wasport:interrupt"
	types := "\x01\x04\x01\x60\x00\x00" // () -> ()
	imported := "\x02\x1a\x01\x11" + module + "\x04tick\x00\x00"
	binary := append(append([]byte{}, empty...), types+imported...)
	if _, err := e.runtime.CompileModule(ctx, binary); err != nil {
		t.Fatalf("wazero does not take it: %v", err)
	}
	if _, err := e.Compile(ctx, binary, CompileOptions{}); err == nil || !strings.Contains(err.Error(), "reserved") {
		t.Errorf("the error is %v", err)
	}
}
