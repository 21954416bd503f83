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

// TestManyGuestsServeAtOnce runs 200 guests at once, each with a connection of its own.
func TestManyGuestsServeAtOnce(t *testing.T) {
	const count = 200
	guests := make([]*guest, count)
	for i := range guests {
		guests[i] = startGuest(t, "tcp_server", "127.0.0.1", "1")
	}
	conns := make([]net.Conn, count)
	for i, g := range guests {
		conns[i] = dialGuest(t, g.readListenAddr())
		g.readLine()
	}
	var wg sync.WaitGroup
	for i := range guests {
		wg.Go(func() {
			for round := range 5 {
				text := fmt.Sprintf("guest %d round %d", i, round)
				writeText(t, conns[i], text)
				expectText(t, conns[i], text)
			}
			conns[i].Close()
			guests[i].readLine()
			guests[i].waitExit(0)
		})
	}
	wg.Wait()
}

// TestLowestFreeDescriptorIsReused shows that a guest gets its lowest free descriptor (POSIX, File
// Descriptor Allocation), independent of the descriptors of other guests.
func TestLowestFreeDescriptorIsReused(t *testing.T) {
	other := startGuest(t, "udp_server", "127.0.0.1", "1") // holds a descriptor 3 of its own
	at := other.readListenAddr()
	g := startGuest(t, "fdnum")
	g.expectLines("opened 3 4 5", "reused 4", "reused 3 5, then 6", "closed twice EBADF",
		"send on it EBADF")
	g.waitExit(0)

	c, err := net.Dial("udp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	writeText(t, c, "still there")
	other.readLine()
	other.waitExit(0)
}

// TestEmbedderRuntimeWithOwnWASI runs guests in a runtime that has a WASI of its own already.
func TestEmbedderRuntimeWithOwnWASI(t *testing.T) {
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
		t.Error("got no output, want some")
	}
	if err := r.Close(ctx); err != nil {
		t.Error(err)
	}
	if rt.Module("wasi_snapshot_preview1") == nil {
		t.Error("got the embedder's modules closed, want them open")
	}
}
