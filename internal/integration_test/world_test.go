package integration_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network/virtual"
)

// worldOf makes a world with one host for Go code, at 10.0.0.1.
func worldOf(t *testing.T) (*virtual.World, *virtual.Host) {
	t.Helper()
	w := virtual.New()
	h, err := w.Host("program")
	if err != nil {
		t.Fatal(err)
	}
	return w, h
}

// TestGuestsInOneWorld has many guests, each on a host of its own, connected at the same time, and
// each echo. WASPORT_CI=1 makes them 10,000. Afterwards nothing is left of them.
func TestGuestsInOneWorld(t *testing.T) {
	count := 500
	if os.Getenv("WASPORT_CI") == "1" {
		count = 10_000
	}
	m := compileTestdata(t, "echo")
	defer m.Close(context.Background())
	echoInWorld(t, m, 100) // fills the pools
	testutil.NoGoroutineLeak(t)
	before := heapAfterGC()
	echoInWorld(t, m, count)
	// Go's runtime keeps the descriptors of goroutines that have ended for later ones, of half a
	// KiB each. A socket, a host or a guest takes several KiB.
	if after := heapAfterGC(); after > before+uint64(count)*2048 {
		t.Errorf("got %d bytes of heap after %d guests, want no more than %d before and 2 KiB each",
			after, count, before)
	} else {
		t.Logf("%d bytes of heap before, %d after %d guests", before, after, count)
	}
}

func heapAfterGC() uint64 {
	var stats runtime.MemStats
	for range 3 { // finalizers and pools take more than one
		runtime.GC()
	}
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func echoInWorld(t *testing.T, m *wasport.Module, count int) {
	world, program := worldOf(t)
	l, err := program.Listen("tcp4", ":7")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := testutil.Policy(t, "allow connect tcp://10.0.0.1:7")
	guests := make(map[string]*wasport.Guest, count) // by their addresses
	for i := range count {
		h, err := world.Host(fmt.Sprintf("guest%d", i))
		if err != nil {
			t.Fatal(err)
		}
		g, err := m.Start(context.Background(), wasport.Config{Network: h, Policy: p,
			Function: "echo", Params: []uint64{7}})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Stop(nil)
		guests[h.Addrs()[0].String()] = g
	}
	conns := make([]net.Conn, count)
	for i := range conns {
		if conns[i], err = l.Accept(); err != nil {
			t.Fatal(err)
		}
	}
	inParallel(count, func(i int) {
		for round := range 3 {
			text := fmt.Sprintf("connection %d, round %d", i, round)
			writeText(t, conns[i], text)
			expectText(t, conns[i], text)
		}
	})
	// A guest that ends has two seconds for the way out, which thousands at once may not find on a
	// busy machine. So a few end at a time.
	inParallel(count, func(i int) {
		from, _, _ := net.SplitHostPort(conns[i].RemoteAddr().String())
		conns[i].Close()
		if _, err := guests[from].Wait(); err != nil {
			t.Errorf("guest at %s: got %v, want it to end with its connection", from, err)
		}
	})
}

// inParallel calls f with each number below count, on 16 goroutines.
func inParallel(count int, f func(i int)) {
	const workers = 16
	var all sync.WaitGroup
	for first := range workers {
		all.Go(func() {
			for i := first; i < count; i += workers {
				f(i)
			}
		})
	}
	all.Wait()
}

// TestGuestAndHandler has a guest ask an http.Handler.
func TestGuestAndHandler(t *testing.T) {
	world, program := worldOf(t)
	h, err := world.Host("guest")
	if err != nil {
		t.Fatal(err)
	}
	l, err := program.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	})}
	go server.Serve(l)
	defer server.Close()
	g := startGuestWith(t, context.Background(), wasport.Config{Network: h,
		Policy: testutil.Policy(t, "allow connect tcp://10.0.0.1:80")},
		"tcp_client", "10.0.0.1", "80", "GET / HTTP/1.0\r\n\r")
	g.expectLines("connected 10.0.0.1 80", "received HTTP/1.0 418 I'm a teapot\r")
	g.waitExit(0)
}

// TestDeafGuestInWorld has guests that send and never receive, to a peer that never receives: each
// holds no more than the buffers of its sockets, and a guest with many sockets no more than its
// limit.
func TestDeafGuestInWorld(t *testing.T) {
	const limit = 8 << 20
	m := compileTestdata(t, "echo")
	defer m.Close(context.Background())
	world, program := worldOf(t)
	l, err := program.Listen("tcp4", ":7")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	h, err := world.Host("guest")
	if err != nil {
		t.Fatal(err)
	}
	config := wasport.Config{Network: h, MaxSocketMemory: limit, MaxDescriptors: 1000,
		Policy: testutil.Policy(t, "allow connect tcp://10.0.0.1:7"),
		Params: []uint64{7}}

	before := heapAfterGC()
	config.Function = "hoard"
	status, err := m.Run(context.Background(), config)
	if err != nil || len(status.Results) != 1 || status.Results[0] == 0 {
		t.Fatalf("got %+v, %v; want a number of sockets", status, err)
	}
	// The connections are closed, and their bytes wait for the program in the queue of l.
	used, conns := heapAfterGC()-before, status.Results[0]
	t.Logf("%d sockets, %d bytes", conns, used)
	if bound := uint64(limit + limit/2); used > bound {
		t.Errorf("got %d bytes of heap for %d sockets, want at most %d", used, conns, bound)
	}

	config.Function = "deaf"
	g, err := m.Start(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	for range conns { // those of the first guest
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.CopyN(io.Discard, c, 1<<20); err != nil { // it goes on while somebody receives
		t.Errorf("got %d bytes, %v; want 1 MiB", n, err)
	}
	c.Close() // with unread bytes
	status, err = g.Wait()
	if err != nil || len(status.Results) != 1 {
		t.Fatalf("got %+v, %v; want an errno", status, err)
	}
	if e := errnoOfGuest(status.Results[0]); e != syscall.ECONNRESET && e != syscall.EPIPE {
		t.Errorf("got errno %d, want ECONNRESET or EPIPE", status.Results[0])
	}
}

// errnoOfGuest returns two of the errnos of WASI preview 1.
func errnoOfGuest(n uint64) syscall.Errno {
	return map[uint64]syscall.Errno{15: syscall.ECONNRESET, 64: syscall.EPIPE}[n]
}
