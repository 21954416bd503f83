package integration_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/wasport/wasport"
	testguests "github.com/wasport/wasport/internal/guests"
)

// TestManyGuests runs 200 guests at once, each with a connection of its own.
func TestManyGuests(t *testing.T) {
	const count = 200
	guests := make([]*guest, count)
	for i := range guests {
		guests[i] = start(t, "tcp_server", "127.0.0.1", "1")
	}
	conns := make([]net.Conn, count)
	for i, g := range guests {
		conns[i] = dial(t, g.listening())
		g.line()
	}
	var wg sync.WaitGroup
	for i := range guests {
		wg.Go(func() {
			for round := range 5 {
				text := fmt.Sprintf("guest %d round %d", i, round)
				say(t, conns[i], text)
				hear(t, conns[i], text)
			}
			conns[i].Close()
			guests[i].line()
			guests[i].ends(0)
		})
	}
	wg.Wait()
}

// TestDescriptorsAreReused shows that a guest gets the lowest free numbers, whatever other guests
// have open.
func TestDescriptorsAreReused(t *testing.T) {
	other := start(t, "udp_server", "127.0.0.1", "1") // holds a descriptor 3 of its own
	at := other.listening()
	g := start(t, "fdnum")
	g.expect("opened 3 4 5", "reused 4", "reused 3 5, then 6", "closed twice EBADF",
		"send on it EBADF")
	g.ends(0)

	c, err := net.Dial("udp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	say(t, c, "still there")
	other.line()
	other.ends(0)
}

// TestEmbeddersRuntime runs guests in a runtime that has a WASI of its own already.
func TestEmbeddersRuntime(t *testing.T) {
	ctx := context.Background()
	rt := wazero.NewRuntime(ctx)
	defer rt.Close(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, rt)
	r, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{Wazero: rt})
	if err != nil {
		t.Fatal(err)
	}
	wasm, _ := testguests.FS.ReadFile("fdnum.wasm")
	m, err := r.Compile(ctx, wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := m.Run(ctx, wasport.Config{Stdout: &out}); err != nil {
		t.Fatal(err)
	}
	if out.Len() == 0 {
		t.Error("the guest said nothing")
	}
	if err := r.Close(ctx); err != nil {
		t.Error(err)
	}
	if rt.Module("wasi_snapshot_preview1") == nil {
		t.Error("the embedder's modules were closed")
	}
}
