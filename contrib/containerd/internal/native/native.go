// Package native hands containers that are no WebAssembly to another shim, runc's, which serves
// them as if containerd had asked it: the pause container of a pod and its side-cars.
//
// The other shim is started as containerd starts one, in the container's bundle. Its events go to
// containerd from itself. Requests are passed on unchanged, so that everything that it can do is
// possible, such as exec. How to tell a guest from another container is package bundle's matter.
package native

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"

	bootstrap "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	task "github.com/containerd/containerd/api/runtime/task/v2"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/wasport/wasport/contrib/containerd/internal/bundle"
)

// Shim is a connection to another shim. Its methods may be called from several goroutines.
type Shim struct {
	client  *ttrpc.Client
	service string

	// flags and started are the input and the output of the other shim's start.
	flags   Flags
	started []byte

	ended atomic.Bool
}

// Flags are the arguments with which containerd starts each shim.
type Flags struct {
	Binary                                        string
	Namespace, ID, Address, PublishBinary, Bundle string
}

// command returns the command for an action, to run in a directory.
func (f Flags) command(ctx context.Context, dir, action string) *exec.Cmd {
	args := []string{"-namespace", f.Namespace, "-id", f.ID, "-address", f.Address,
		"-publish-binary", f.PublishBinary}
	if action == "delete" {
		args = append(args, "-bundle", f.Bundle)
	}
	cmd := exec.CommandContext(ctx, f.Binary, append(args, action)...)
	cmd.Dir = dir
	return cmd
}

// Start starts the other shim for a container, or finds the one that serves its pod already.
func Start(ctx context.Context, f Flags) (*Shim, error) {
	params, err := bundle.ReadParams(f.Bundle)
	if err != nil {
		return nil, err
	}
	// A directory of its own, since older shims keep their address in a file of the working
	// directory. By the one in the bundle containerd finds this shim again.
	dir := filepath.Join(f.Bundle, "native")
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	for _, name := range []string{"config.json", "log"} {
		err := os.Symlink(filepath.Join("..", name), filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	cmd := f.command(ctx, dir, "start")
	cmd.Stdin = bytes.NewReader(params)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s start: %w: %s", f.Binary, err, bytes.TrimSpace(stderr.Bytes()))
	}
	if err := bundle.WriteNative(f.Bundle, out); err != nil {
		return nil, err
	}
	s, err := dial(ctx, out)
	if err != nil {
		return nil, err
	}
	s.flags, s.started = f, out
	return s, nil
}

// dial connects to a shim by the output of its start.
func dial(ctx context.Context, started []byte) (*Shim, error) {
	version, address, err := parse(started)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", strings.TrimPrefix(address, "unix://"))
	if err != nil {
		return nil, err
	}
	return &Shim{client: ttrpc.NewClient(conn),
		service: fmt.Sprintf("containerd.task.v%d.Task", version)}, nil
}

// parse reads the output of a shim's start: an address, as of containerd 1.6, JSON, as of
// 1.7 to 2.2, or a message of protobuf.
func parse(out []byte) (version int, address string, err error) {
	text := strings.TrimSpace(string(out))
	if strings.HasPrefix(text, "unix://") {
		return 2, text, nil
	}
	var fields struct {
		Version           int
		Address, Protocol string
	}
	if json.Unmarshal(out, &fields) != nil {
		var r bootstrap.BootstrapResult
		if err := proto.Unmarshal(out, &r); err != nil {
			return 0, "", fmt.Errorf("the shim's start printed %q", text)
		}
		fields.Version, fields.Address, fields.Protocol = int(r.Version), r.Address, r.Protocol
	}
	if fields.Protocol != "ttrpc" || fields.Version < 2 || fields.Version > 3 {
		return 0, "", fmt.Errorf("the shim speaks %q, version %d; ttrpc, version 2 or 3, is "+
			"supported", fields.Protocol, fields.Version)
	}
	return fields.Version, fields.Address, nil
}

// Call passes a request of the Task API on. Versions 2 and 3 of it differ in their name alone. The
// error is NotFound if the other shim has ended.
func (s *Shim) Call(ctx context.Context, method string, request, response proto.Message) error {
	err := s.client.Call(ctx, s.service, method, request, response)
	if errors.Is(err, ttrpc.ErrClosed) {
		s.ended.Store(true)
		err = fmt.Errorf("the shim that runs the container has ended: %w", errdefs.ErrNotFound)
		return errgrpc.ToGRPC(err)
	}
	return err
}

// Close closes the connection. The other shim goes on.
func (s *Shim) Close() error { return s.client.Close() }

// Ended reports whether a call has met the end of the other shim. CleanUp then ends what is left of
// its container.
func (s *Shim) Ended() bool { return s.ended.Load() }

// CleanUp releases the container after the end of the other shim.
func (s *Shim) CleanUp(ctx context.Context) (*task.DeleteResponse, error) {
	out, err := Delete(ctx, s.flags, s.started)
	if err != nil {
		return nil, fmt.Errorf("%s delete: %w", s.flags.Binary, err)
	}
	var r task.DeleteResponse
	return &r, proto.Unmarshal(out, &r)
}

// Delete cleans up after a container that containerd gave up, and returns the output for
// containerd. The container may be in any state. started is the output of the other shim's start.
func Delete(ctx context.Context, f Flags, started []byte) ([]byte, error) {
	if s, err := dial(ctx, started); err == nil {
		s.end(ctx, f.ID)
		s.Close()
	}
	removeSocket(started)
	cmd := f.command(ctx, f.Bundle, "delete")
	cmd.Stderr = os.Stderr
	return cmd.Output()
}

// removeSocket removes the socket of another shim that nobody serves any more. That shim leaves it
// if it came to read its own address before its start had written that.
func removeSocket(started []byte) {
	_, address, err := parse(started)
	if err != nil {
		return
	}
	path := strings.TrimPrefix(address, "unix://")
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
	} else if errors.Is(err, syscall.ECONNREFUSED) {
		os.Remove(path)
	}
}

// end ends a container and, if it was the last, the other shim. Errors say that the container is in
// a later state already.
func (s *Shim) end(ctx context.Context, id string) {
	for _, step := range []struct {
		method  string
		request proto.Message
	}{
		{"Kill", &task.KillRequest{ID: id, Signal: uint32(syscall.SIGKILL), All: true}},
		{"Wait", &task.WaitRequest{ID: id}},
		{"Delete", &task.DeleteRequest{ID: id}},
		{"Shutdown", &task.ShutdownRequest{ID: id}},
	} {
		s.Call(ctx, step.method, step.request, &emptypb.Empty{})
	}
}
