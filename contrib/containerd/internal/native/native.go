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
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	bootstrap "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/proto"

	"github.com/wasport/wasport/contrib/containerd/internal/bundle"
)

// Shim is a connection to another shim. Its methods may be called from several goroutines.
type Shim struct {
	client  *ttrpc.Client
	service string
}

// Flags are the arguments with which containerd starts each shim.
type Flags struct {
	Binary                                        string
	Namespace, ID, Address, PublishBinary, Bundle string
}

// command returns the command for an action, in the bundle.
func (f Flags) command(ctx context.Context, action string) *exec.Cmd {
	args := []string{"-namespace", f.Namespace, "-id", f.ID, "-address", f.Address,
		"-publish-binary", f.PublishBinary}
	if action == "delete" {
		args = append(args, "-bundle", f.Bundle)
	}
	cmd := exec.CommandContext(ctx, f.Binary, append(args, action)...)
	cmd.Dir = f.Bundle
	return cmd
}

// Start starts the other shim for a container, or finds the one that serves its pod already.
func Start(ctx context.Context, f Flags) (*Shim, error) {
	params, err := bundle.ReadParams(f.Bundle)
	if err != nil {
		return nil, err
	}
	if err := bundle.MarkNative(f.Bundle); err != nil {
		return nil, err
	}
	// An older shim writes its own address into the file by which containerd finds this one again.
	keep := filepath.Join(f.Bundle, "address")
	address, addressErr := os.ReadFile(keep)
	cmd := f.command(ctx, "start")
	cmd.Stdin = bytes.NewReader(params)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if addressErr == nil {
		if err := os.WriteFile(keep, address, 0o600); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s start: %w: %s", f.Binary, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return dial(ctx, out)
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
	return &Shim{ttrpc.NewClient(conn), fmt.Sprintf("containerd.task.v%d.Task", version)}, nil
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

// Call passes a request of the Task API on. Versions 2 and 3 of it differ in their name alone.
func (s *Shim) Call(ctx context.Context, method string, request, response proto.Message) error {
	return s.client.Call(ctx, s.service, method, request, response)
}

// Close closes the connection. The other shim goes on.
func (s *Shim) Close() error { return s.client.Close() }

// Delete cleans up after a container, as the other shim does when it is dead, and returns the
// output for containerd.
func Delete(ctx context.Context, f Flags) ([]byte, error) {
	cmd := f.command(ctx, "delete")
	cmd.Stderr = os.Stderr
	return cmd.Output()
}
