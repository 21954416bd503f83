package integration_test

import (
	"fmt"
	"testing"

	"github.com/wasport/wasport/internal/guests/components"
)

// TestMaxCPUInComponentCalls runs a component that repeats one call of the host for ever. Each call
// has its row; what the call makes for the garbage collector is a part of its cost.
func TestMaxCPUInComponentCalls(t *testing.T) {
	wasm, err := componentguests.FS.ReadFile("busy.wasm")
	if err != nil {
		t.Fatal(err)
	}
	m := compileModule(t, wasm)
	c := newBusyGuest(t).config
	c.Sockets = nil // a component takes none
	for i := range 200 {
		c.Env = append(c.Env, fmt.Sprintf("NAME_%d=value", i))
	}
	for _, name := range []string{
		"environment", "arguments", "random", "much random", "wall clock", "timer", "wait", "poll",
		"output", "refused socket", "refused lookup", "datagrams", "stat", "open", "open nothing",
		"read", "list", "hash", "preopens",
	} {
		t.Run(name, func(t *testing.T) {
			c := c
			c.Args = append([]string{"busy", name}, c.Env...)
			checkProcessorLimit(t, m, c)
		})
	}
}
