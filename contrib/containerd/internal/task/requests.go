package task

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	api "github.com/containerd/containerd/api/runtime/task/v2"
	status "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/wasport/wasport/contrib/containerd/internal/guest"
)

// noExec is the refusal of Exec, and of requests about a process that it would have started.
const noExec = "a guest is one process: exec is not supported"

// answer passes a request on to the shim that serves the container or, if that is this one, has f
// answer it. execID is empty unless the request is about a process of Exec.
func answer[T any, P message[T]](ctx context.Context, s *Service, id, execID, method string,
	request proto.Message, f func(*guest.Container) (P, error)) (P, error) {
	if n := s.native(id); n != nil {
		var response P = new(T)
		if err := n.Call(ctx, method, request, response); err != nil {
			return nil, err
		}
		return response, nil
	}
	g, err := s.guest(id)
	if err != nil {
		return nil, err
	}
	if execID != "" {
		return nil, grpcError(fmt.Errorf("process %s: %s: %w", execID, noExec,
			errdefs.ErrNotFound))
	}
	response, err := f(g)
	if err != nil {
		return nil, grpcError(err)
	}
	return response, nil
}

// done is the answer of a request without a result.
func done(err error) (*emptypb.Empty, error) { return &emptypb.Empty{}, err }

// Start lets a guest start.
func (s *Service) Start(ctx context.Context, r *api.StartRequest) (*api.StartResponse, error) {
	return answer(ctx, s, r.ID, r.ExecID, "Start", r,
		func(g *guest.Container) (*api.StartResponse, error) {
			return &api.StartResponse{Pid: g.Pid()}, g.Start()
		})
}

// State describes a container.
func (s *Service) State(ctx context.Context, r *api.StateRequest) (*api.StateResponse, error) {
	response, err := answer(ctx, s, r.ID, r.ExecID, "State", r,
		func(g *guest.Container) (*api.StateResponse, error) { return g.State(), nil })
	if s.lost(r.ID, r.ExecID) != nil {
		return &api.StateResponse{ID: r.ID, Status: status.Status_STOPPED,
			ExitStatus: lostStatus, ExitedAt: timestamppb.Now()}, nil
	}
	return response, err
}

// Delete releases a container that has ended.
func (s *Service) Delete(ctx context.Context, r *api.DeleteRequest) (*api.DeleteResponse, error) {
	response, err := answer(ctx, s, r.ID, r.ExecID, "Delete", r,
		func(g *guest.Container) (*api.DeleteResponse, error) { return g.Delete() })
	if n := s.lost(r.ID, r.ExecID); n != nil {
		response, err = n.CleanUp(ctx)
		err = grpcError(err)
	}
	if err == nil && r.ExecID == "" {
		s.mu.Lock()
		delete(s.guests, r.ID)
		n := s.natives[r.ID]
		delete(s.natives, r.ID)
		s.mu.Unlock()
		if n != nil {
			// The other shim ends after its last container.
			n.Call(ctx, "Shutdown", &api.ShutdownRequest{ID: r.ID}, &emptypb.Empty{})
			n.Close()
		}
	}
	return response, err
}

// Pids lists the processes of a container.
func (s *Service) Pids(ctx context.Context, r *api.PidsRequest) (*api.PidsResponse, error) {
	return answer(ctx, s, r.ID, "", "Pids", r,
		func(g *guest.Container) (*api.PidsResponse, error) {
			return &api.PidsResponse{Processes: g.Processes()}, nil
		})
}

// Kill sends a signal. The one process is all of them.
func (s *Service) Kill(ctx context.Context, r *api.KillRequest) (*emptypb.Empty, error) {
	return answer(ctx, s, r.ID, r.ExecID, "Kill", r,
		func(g *guest.Container) (*emptypb.Empty, error) { return done(g.Kill(r.Signal)) })
}

// Wait waits for the end of a container.
func (s *Service) Wait(ctx context.Context, r *api.WaitRequest) (*api.WaitResponse, error) {
	response, err := answer(ctx, s, r.ID, r.ExecID, "Wait", r,
		func(g *guest.Container) (*api.WaitResponse, error) { return g.Wait(ctx) })
	if s.lost(r.ID, r.ExecID) != nil {
		return &api.WaitResponse{ExitStatus: lostStatus, ExitedAt: timestamppb.Now()}, nil
	}
	return response, err
}

// ResizePty sets the size of a terminal.
func (s *Service) ResizePty(ctx context.Context, r *api.ResizePtyRequest) (*emptypb.Empty, error) {
	return answer(ctx, s, r.ID, r.ExecID, "ResizePty", r,
		func(g *guest.Container) (*emptypb.Empty, error) {
			return done(g.Streams().Resize(uint16(min(r.Width, math.MaxUint16)),
				uint16(min(r.Height, math.MaxUint16))))
		})
}

// CloseIO ends the input.
func (s *Service) CloseIO(ctx context.Context, r *api.CloseIORequest) (*emptypb.Empty, error) {
	return answer(ctx, s, r.ID, r.ExecID, "CloseIO", r,
		func(g *guest.Container) (*emptypb.Empty, error) {
			if r.Stdin {
				g.Streams().CloseInput()
			}
			return done(nil)
		})
}

// Update changes the limits of a container.
func (s *Service) Update(ctx context.Context, r *api.UpdateTaskRequest) (*emptypb.Empty, error) {
	return answer(ctx, s, r.ID, "", "Update", r,
		func(g *guest.Container) (*emptypb.Empty, error) {
			var limits specs.LinuxResources
			if err := json.Unmarshal(r.Resources.GetValue(), &limits); err != nil {
				return nil, fmt.Errorf("resources: %w: %w", err, errdefs.ErrInvalidArgument)
			}
			return done(g.Cgroup().Update(&limits))
		})
}

// Stats returns the figures of a container's cgroup.
func (s *Service) Stats(ctx context.Context, r *api.StatsRequest) (*api.StatsResponse, error) {
	return answer(ctx, s, r.ID, "", "Stats", r,
		func(g *guest.Container) (*api.StatsResponse, error) {
			figures, err := g.Cgroup().Stats()
			if err != nil {
				return nil, err
			}
			stats, err := typeurl.MarshalAnyToProto(figures)
			return &api.StatsResponse{Stats: stats}, err
		})
}

// Exec is refused for guests.
func (s *Service) Exec(ctx context.Context, r *api.ExecProcessRequest) (*emptypb.Empty, error) {
	return answer(ctx, s, r.ID, "", "Exec", r, refused(noExec))
}

// Pause is refused for guests.
func (s *Service) Pause(ctx context.Context, r *api.PauseRequest) (*emptypb.Empty, error) {
	return answer(ctx, s, r.ID, "", "Pause", r, refused("a guest cannot be paused"))
}

// Resume is refused for guests.
func (s *Service) Resume(ctx context.Context, r *api.ResumeRequest) (*emptypb.Empty, error) {
	return answer(ctx, s, r.ID, "", "Resume", r, refused("a guest cannot be paused or resumed"))
}

// Checkpoint is refused for guests.
func (s *Service) Checkpoint(ctx context.Context, r *api.CheckpointTaskRequest) (*emptypb.Empty,
	error) {
	return answer(ctx, s, r.ID, "", "Checkpoint", r,
		refused("a checkpoint of a guest cannot be taken"))
}

// refused answers a request for an operation that guests lack.
func refused(why string) func(*guest.Container) (*emptypb.Empty, error) {
	return func(*guest.Container) (*emptypb.Empty, error) {
		return nil, fmt.Errorf("%s: %w", why, errdefs.ErrNotImplemented)
	}
}

// Shutdown ends the shim after its last container.
func (s *Service) Shutdown(context.Context, *api.ShutdownRequest) (*emptypb.Empty, error) {
	go s.end()
	return done(nil)
}
