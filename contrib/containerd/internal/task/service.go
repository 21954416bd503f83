// Package task serves containerd's Task API, version 2, for the containers of one pod.
//
// It keeps the list of containers and passes each request on: to package guest, or to runc's shim
// (package native). It also decides when the shim ends. How requests come in is package bootstrap's
// matter.
//
// Locks: Service.mu protects the lists and is held for short.
package task

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v2"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/ttrpc"

	"github.com/wasport/wasport/contrib/containerd/internal/bundle"
	"github.com/wasport/wasport/contrib/containerd/internal/guest"
	"github.com/wasport/wasport/contrib/containerd/internal/native"
	"github.com/wasport/wasport/contrib/containerd/internal/node"
)

// expectation is how long a container may take from the start that named it to its creation. In
// that time the shim does not end.
const expectation = 2 * time.Minute

// Service serves the containers of a pod. It implements api.TTRPCTaskService.
type Service struct {
	flags  native.Flags
	events guest.Publisher

	// end ends the shim if it is Empty.
	end func()

	// mu protects the fields below it.
	mu       sync.Mutex
	guests   map[string]*guest.Container
	natives  map[string]*native.Shim
	expected map[string]time.Time
	creating map[string]*creation
}

// New returns a service. The flags are those of the shim's start. The function end ends the shim if
// it is Empty, which it asks under the lock that a start holds. It may be called several times.
func New(flags native.Flags, events guest.Publisher, end func()) *Service {
	return &Service{flags: flags, events: events, end: end,
		guests: make(map[string]*guest.Container), natives: make(map[string]*native.Shim),
		expected: make(map[string]time.Time), creating: make(map[string]*creation)}
}

// Register makes a server offer the service, and the one by which starts and deletes of the shim
// talk to it.
func (s *Service) Register(server *ttrpc.Server) {
	api.RegisterTTRPCTaskService(server, s)
	server.RegisterService(groupService, &ttrpc.ServiceDesc{Methods: map[string]ttrpc.Method{
		"Expect": groupMethod(s.expect), "Forget": groupMethod(s.forget),
	}})
}

// Empty reports whether the shim has no container and expects none.
func (s *Service) Empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, until := range s.expected {
		if time.Now().After(until) {
			delete(s.expected, id)
		}
	}
	return len(s.guests)+len(s.natives)+len(s.expected)+len(s.creating) == 0
}

// expect announces a container.
func (s *Service) expect(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expected[id] = time.Now().Add(expectation)
}

// forget ends a container that containerd gave up, and the shim if it was the last.
func (s *Service) forget(id string) {
	s.mu.Lock()
	delete(s.expected, id)
	g, n := s.guests[id], s.natives[id]
	delete(s.guests, id)
	delete(s.natives, id)
	c := s.creating[id]
	if c != nil {
		c.cancel(errGivenUp)
	}
	s.mu.Unlock()
	if c != nil {
		<-c.done
	}
	if g != nil {
		g.Destroy()
	}
	if n != nil {
		n.Close()
	}
	go s.end()
}

// guest returns the guest of a container.
func (s *Service) guest(id string) (*guest.Container, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.guests[id]; g != nil {
		return g, nil
	}
	return nil, grpcError(fmt.Errorf("container %s: %w", id, errdefs.ErrNotFound))
}

// grpcError gives an error the code by which containerd tells its kind.
func grpcError(err error) error {
	if err == nil {
		return nil
	}
	return errgrpc.ToGRPC(err)
}

// refuse is the error for an operation that guests lack.
func refuse(reason string) error {
	return grpcError(fmt.Errorf("%s: %w", reason, errdefs.ErrNotImplemented))
}

// Create starts the process of a container.
func (s *Service) Create(ctx context.Context, r *api.CreateTaskRequest) (*api.CreateTaskResponse,
	error) {
	ctx, end, err := s.begin(ctx, r.ID)
	if err != nil {
		return nil, grpcError(err)
	}
	defer end()
	b, err := bundle.Load(r.Bundle)
	if err != nil {
		return nil, grpcError(err)
	}
	config, err := node.Load()
	if err != nil {
		return nil, grpcError(err)
	}
	if !b.IsGuest() {
		return s.createNative(ctx, r, b, config)
	}
	if r.Checkpoint != "" {
		return nil, refuse("a guest cannot be restored from a checkpoint")
	}
	g, err := guest.Create(ctx, r, b,
		guest.Containerd{Address: s.flags.Address, Namespace: s.flags.Namespace}, s.events)
	if err != nil {
		return nil, grpcError(err)
	}
	if err := s.add(ctx, r.ID, func() { s.guests[r.ID] = g }); err != nil {
		g.Destroy()
		return nil, grpcError(err)
	}
	return &api.CreateTaskResponse{Pid: g.Pid()}, nil
}

// Connect tells the numbers of the processes.
func (s *Service) Connect(ctx context.Context, r *api.ConnectRequest) (*api.ConnectResponse,
	error) {
	answer := &api.ConnectResponse{ShimPid: uint32(os.Getpid()), Version: "v2"}
	if n := s.native(r.ID); n != nil {
		var theirs api.ConnectResponse
		if err := n.Call(ctx, "Connect", r, &theirs); err != nil {
			return nil, err
		}
		answer.TaskPid = theirs.TaskPid
	} else if g, err := s.guest(r.ID); err == nil {
		answer.TaskPid = g.Pid()
	}
	return answer, nil
}
