package integration_test

import (
	"context"
	"slices"
	"testing"

	"github.com/wasport/wasport"
)

// TestModuleMixesDialects runs a module that imports functions of one name with several types.
func TestModuleMixesDialects(t *testing.T) {
	m := compileTestdata(t, "mixed")
	status, err := m.Run(context.Background(), wasport.Config{})
	if err != nil || status.Code != 0 {
		t.Errorf("got status %d and error %v, want 0: each import is the function of its type",
			status.Code, err)
	}
	want := []wasport.Dialect{"WASI preview 1", "WAMR's sockets",
		"WasmEdge's sockets (V1 and V2, mixed)"}
	if got := wasport.Dialects(m.Imports()); !slices.Equal(got, want) {
		t.Errorf("got the dialects %q, want %q", got, want)
	}
}
