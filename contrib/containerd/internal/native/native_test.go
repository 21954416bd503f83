package native

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	bootstrap "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	task "github.com/containerd/containerd/api/runtime/task/v2"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
)

// TestParse reads the output of the start of each containerd's shim for runc.
func TestParse(t *testing.T) {
	message, err := proto.Marshal(&bootstrap.BootstrapResult{Version: 3, Protocol: "ttrpc",
		Address: "unix:///run/s/a"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, out string
		version   int
	}{
		{"1.6", "unix:///run/s/a", 2}, {"1.6 with a newline", "unix:///run/s/a\n", 2},
		{"1.7", `{"version":2,"address":"unix:///run/s/a","protocol":"ttrpc"}`, 2},
		{"2.0", `{"version":3,"address":"unix:///run/s/a","protocol":"ttrpc"}`, 3},
		{"2.4", string(message), 3},
	} {
		version, address, err := parse([]byte(row.out))
		if err != nil || version != row.version || address != "unix:///run/s/a" {
			t.Errorf("%s: got version %d, %q, %v, want %d and unix:///run/s/a", row.name, version,
				address, err, row.version)
		}
	}
	for _, out := range []string{"", "nonsense", `{"version":4,"protocol":"ttrpc"}`,
		`{"version":3,"protocol":"grpc"}`} {
		if version, address, err := parse([]byte(out)); err == nil {
			t.Errorf("%q: got %d, %q, want an error", out, version, address)
		}
	}
}

// TestRemoveSocket leaves a socket that is served, and removes one that is not.
func TestRemoveSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	for _, want := range []bool{true, false} {
		removeSocket([]byte("unix://" + path))
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("got %v, want a socket: %v", err, want)
		}
		l.Close()
	}
}

// TestCallOfEndedShim asks a shim that ends instead of an answer, and again.
func TestCallOfEndedShim(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if conn, err := l.Accept(); err == nil {
			conn.Close()
		}
		l.Close()
	}()
	s, err := dial(t.Context(), []byte("unix://"+path))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 2 {
		err := s.Call(t.Context(), "Kill", &task.KillRequest{ID: "c"}, &emptypb.Empty{})
		if !errdefs.IsNotFound(errgrpc.ToNative(err)) {
			t.Errorf("got %v, want that it is not found", err)
		}
		if !s.Ended() {
			t.Error("got a shim, want that it has ended")
		}
	}
}
