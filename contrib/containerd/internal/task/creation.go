package task

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
)

// errGivenUp is the cause of the end of a creation that containerd has given up.
var errGivenUp = errors.New("the container was given up while it was created")

// creation is a container between the request for it and its place in a list. It may last long,
// since it compiles the module. In that time its name is taken, and the shim does not end.
type creation struct {
	cancel context.CancelCauseFunc
	done   chan struct{}
}

// begin reserves the name of a container. The context ends if the container is given up. The caller
// calls end after add, or without it if the creation fails.
func (s *Service) begin(ctx context.Context, id string) (_ context.Context, end func(), _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.guests[id] != nil || s.natives[id] != nil || s.creating[id] != nil {
		return nil, nil, fmt.Errorf("container %s: %w", id, errdefs.ErrAlreadyExists)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	c := &creation{cancel, make(chan struct{})}
	s.creating[id] = c
	return ctx, func() {
		s.mu.Lock()
		delete(s.creating, id)
		s.mu.Unlock()
		cancel(nil)
		close(c.done)
	}, nil
}

// add has a function put a container into a list, unless the container was given up meanwhile.
func (s *Service) add(ctx context.Context, id string, put func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	put()
	delete(s.expected, id)
	return nil
}
