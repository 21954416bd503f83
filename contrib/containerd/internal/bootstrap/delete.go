package bootstrap

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v2"
	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/wasport/wasport/contrib/containerd/internal/bundle"
	"github.com/wasport/wasport/contrib/containerd/internal/cgroup"
	"github.com/wasport/wasport/contrib/containerd/internal/native"
	"github.com/wasport/wasport/contrib/containerd/internal/node"
	"github.com/wasport/wasport/contrib/containerd/internal/task"
)

// cleanup bounds how long a delete may take.
const cleanup = 20 * time.Second

// Delete releases the remains of a container, and returns the output for containerd. It runs after
// each end of a container, and after a shim was killed; it may run again.
func Delete(f *Flags) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), cleanup)
	defer cancel()
	if err := forget(ctx, f); err != nil {
		return nil, err
	}
	if started, ok := bundle.ReadNative(f.Bundle); ok {
		config, err := node.Load()
		if err != nil {
			return nil, err
		}
		flags := f.native()
		flags.Binary = config.RuncShim
		return native.Delete(ctx, flags, started)
	}
	pid := bundle.ReadPid(f.Bundle)
	if b, err := bundle.Load(f.Bundle); err == nil {
		if err := removeCgroup(ctx, b, f); err != nil {
			return nil, err
		}
	}
	return proto.Marshal(&api.DeleteResponse{Pid: uint32(pid),
		ExitStatus: 128 + uint32(syscall.SIGKILL), ExitedAt: timestamppb.Now()})
}

// forget tells the shim of the container's pod to give the container up. If that shim is dead, its
// socket is removed.
func forget(ctx context.Context, f *Flags) error {
	text, err := os.ReadFile(filepath.Join(f.Bundle, addressFile))
	if err != nil {
		return nil // nothing was started
	}
	socket := strings.TrimPrefix(string(text), "unix://")
	held, err := lock(socket)
	if err != nil {
		return err
	}
	conn, err := net.DialTimeout("unix", socket, dialTimeout)
	if err != nil {
		os.Remove(socket)
		return held.Close()
	}
	held.Close()
	client := ttrpc.NewClient(conn)
	defer client.Close()
	// A shim that is ending just now has nothing to forget.
	task.Forget(ctx, client, f.ID)
	return nil
}

// removeCgroup kills the processes that are left in a container's cgroup, and removes it.
func removeCgroup(ctx context.Context, b *bundle.Bundle, f *Flags) error {
	path, err := cgroup.Path(b.Spec, f.Namespace, f.ID)
	if err != nil {
		return err
	}
	for {
		g, err := cgroup.Load(path)
		if err != nil {
			return nil // it is gone
		}
		if err := g.Kill(); err != nil {
			return fmt.Errorf("cgroup %s: %w", path, err)
		}
		if err = g.Delete(); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cgroup %s: %w", path, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
