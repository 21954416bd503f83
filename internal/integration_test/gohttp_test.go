package integration_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/wasport/wasport"
)

// TestGoHTTPServerAsGuest runs a server of Go's net/http as a guest, and many requests at once
// against it.
func TestGoHTTPServerAsGuest(t *testing.T) {
	if testing.Short() {
		t.Skip("builds Go's net/http for wasip1")
	}
	file := filepath.Join(t.TempDir(), "server.wasm")
	build := exec.Command("go", "build", "-o", file,
		"github.com/wasport/wasport/examples/httpserver")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	m, err := shared.runtime.Compile(ctx, wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(ctx)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, stop := context.WithCancel(ctx)
	g, err := m.Start(ctx, wasport.Config{
		Policy: loopbackPolicy(t), Sockets: []syscall.Conn{l.(*net.TCPListener)},
		Stderr: os.Stderr,
	})
	if err != nil {
		t.Fatal(err)
	}
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			client := http.Client{Transport: &http.Transport{}, Timeout: testTimeout}
			defer client.CloseIdleConnections()
			for j := range 5 {
				name := fmt.Sprintf("client-%d-%d", i, j)
				resp, err := client.Get("http://" + l.Addr().String() + "/" + name)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if want := "hello " + name + ", from WebAssembly\n"; err != nil ||
					string(body) != want {
					t.Errorf("got %q, %v, want %q", body, err, want)
				}
			}
		})
	}
	clients.Wait()
	stop()
	if _, err := g.Wait(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
