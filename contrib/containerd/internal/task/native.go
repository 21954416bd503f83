package task

import (
	"context"
	"fmt"
	"strings"

	api "github.com/containerd/containerd/api/runtime/task/v2"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/wasport/wasport/contrib/containerd/internal/bundle"
	"github.com/wasport/wasport/contrib/containerd/internal/native"
	"github.com/wasport/wasport/contrib/containerd/internal/node"
)

// native returns the other shim that serves a container, or nil.
func (s *Service) native(id string) *native.Shim {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.natives[id]
}

// lostStatus is the exit status of a container whose shim has ended: 128 and SIGKILL, as containerd
// has it for a shim of its own.
const lostStatus = 137

// lost returns the other shim that served a container if that has ended, or nil. It is nil as well
// for a process of Exec. containerd does not see that end, and finds the container stopped, so that
// it deletes it.
func (s *Service) lost(id, execID string) *native.Shim {
	if n := s.native(id); n != nil && execID == "" && n.Ended() {
		return n
	}
	return nil
}

// createNative has another shim create a container.
func (s *Service) createNative(ctx context.Context, r *api.CreateTaskRequest, b *bundle.Bundle,
	c *node.Config) (*api.CreateTaskResponse, error) {
	if c.RefuseNative && !b.IsSandbox() {
		return nil, grpcError(fmt.Errorf("%q is not the name of a module (it does not end in "+
			".wasm), and the configuration of the node says refuse_native: %w",
			strings.Join(b.Spec.Process.Args, " "), errdefs.ErrPermissionDenied))
	}
	flags := s.flags
	flags.Binary, flags.ID, flags.Bundle = c.RuncShim, r.ID, r.Bundle
	n, err := native.Start(ctx, flags)
	if err != nil {
		return nil, grpcError(err)
	}
	forwarded := proto.Clone(r).(*api.CreateTaskRequest)
	if forwarded.Options, err = nativeOptions(r, b); err != nil {
		n.Close()
		return nil, grpcError(err)
	}
	var response api.CreateTaskResponse
	err = n.Call(ctx, "Create", forwarded, &response)
	if err == nil {
		err = grpcError(s.add(ctx, r.ID, func() { s.natives[r.ID] = n }))
	}
	if err != nil {
		// A container that the other shim has made, its delete removes (package bootstrap).
		n.Call(context.WithoutCancel(ctx), "Shutdown", &api.ShutdownRequest{ID: r.ID},
			&emptypb.Empty{})
		n.Close()
		return nil, err
	}
	return &response, nil
}

// nativeOptions returns the options of runc. containerd's configuration gives other runtimes
// options of another type. A cgroup in the form of systemd says that runc has to ask that.
func nativeOptions(r *api.CreateTaskRequest, b *bundle.Bundle) (*anypb.Any, error) {
	if r.Options != nil && strings.HasSuffix(r.Options.TypeUrl, "containerd.runc.v1.Options") {
		return r.Options, nil
	}
	systemd := b.Spec.Linux != nil && strings.Count(b.Spec.Linux.CgroupsPath, ":") == 2
	return typeurl.MarshalAnyToProto(&options.Options{SystemdCgroup: systemd})
}

// message is the pointer to a message of protobuf.
type message[T any] interface {
	*T
	proto.Message
}
