// Package guest is the shim's side of a container with a guest: it starts the child, watches it,
// and tells containerd.
//
// One process serves one container, so that the kernel's limits, the image's user and the process's
// number are the container's own. Package child is the inside of the process, and package task has
// the requests of the Task API. The methods of Container may be called from several goroutines.
//
// Lock order: Container.mu is held for short; nothing blocks under it.
package guest

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/containerd/containerd/api/events"
	task "github.com/containerd/containerd/api/runtime/task/v2"
	status "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/wasport/wasport/contrib/containerd/internal/artifact"
	"github.com/wasport/wasport/contrib/containerd/internal/bundle"
	"github.com/wasport/wasport/contrib/containerd/internal/cgroup"
	"github.com/wasport/wasport/contrib/containerd/internal/child"
	"github.com/wasport/wasport/contrib/containerd/internal/rootfs"
	"github.com/wasport/wasport/contrib/containerd/internal/stdio"
)

// Publisher takes events for containerd.
type Publisher interface {
	Publish(topic string, event proto.Message)
}

// Containerd is the socket of containerd, and its namespace that the container is in.
type Containerd struct{ Address, Namespace string }

// Container is a container with a guest, from Create to Delete.
type Container struct {
	request    *task.CreateTaskRequest
	containerd Containerd
	events     Publisher
	cgroup     *cgroup.Group
	streams    *stdio.Streams
	cmd        *exec.Cmd
	control    *control

	// reported is closed when the end of the process has been queued as an event.
	reported chan struct{}

	// done is closed at the end of the process; it publishes the fields below it.
	done       chan struct{}
	exitStatus uint32
	exitedAt   time.Time

	// mu protects the fields below it.
	mu      sync.Mutex
	started bool
	deleted bool
}

// Create starts the process of a container and waits until its guest is ready to start.
func Create(ctx context.Context, r *task.CreateTaskRequest, b *bundle.Bundle, from Containerd,
	p Publisher) (*Container, error) {
	if b.HasUserNamespace() {
		return nil, fmt.Errorf("user namespaces (hostUsers: false) are not supported: %w",
			errdefs.ErrNotImplemented)
	}
	c := &Container{request: r, containerd: from, events: p, done: make(chan struct{}),
		reported: make(chan struct{})}
	if err := c.create(ctx, b); err != nil {
		c.release()
		return nil, err
	}
	p.Publish("/tasks/create", &events.TaskCreate{ContainerID: r.ID, Bundle: r.Bundle,
		Rootfs: r.Rootfs, Pid: c.Pid(), IO: &events.TaskIO{Stdin: r.Stdin, Stdout: r.Stdout,
			Stderr: r.Stderr, Terminal: r.Terminal}})
	go c.reportEnd()
	return c, nil
}

// create makes the cgroup, the streams and the process, which has ended again if create fails.
func (c *Container) create(ctx context.Context, b *bundle.Bundle) error {
	path, err := cgroup.Path(b.Spec, c.containerd.Namespace, c.request.ID)
	if err != nil {
		return err
	}
	var limits *specs.LinuxResources
	if b.Spec.Linux != nil {
		limits = b.Spec.Linux.Resources
	}
	if c.cgroup, err = cgroup.Create(path, limits); err != nil {
		return err
	}
	c.streams, err = stdio.Open(c.request.Stdin, c.request.Stdout, c.request.Stderr,
		c.request.Terminal)
	if err != nil {
		return err
	}
	if err = c.start(b); err == nil {
		err = c.prepare(ctx)
	}
	if err != nil && c.cmd != nil {
		c.cmd.Process.Kill()
		<-c.done
	}
	return err
}

// start starts the process, and a goroutine that waits for its end.
func (c *Container) start(b *bundle.Bundle) error {
	defer c.streams.Release()
	cmd, err := spawn(c.request.ID, b, c.cgroup, c.streams, c.request.Terminal)
	if err != nil {
		return fmt.Errorf("start the container's process: %w", err)
	}
	c.cmd, c.control = cmd.Cmd, cmd.control
	go func() {
		c.cmd.Wait() // the status is in ProcessState
		c.streams.Close()
		c.exitStatus, c.exitedAt = exitStatus(c.cmd.ProcessState), time.Now()
		close(c.done)
	}()
	return bundle.WritePid(c.request.Bundle, c.cmd.Process.Pid)
}

// prepare has the process get ready, and returns the process's own error.
func (c *Container) prepare(ctx context.Context) error {
	network := c.cmd.SysProcAttr.Cloneflags&newNetwork != 0
	request := child.Request{Bundle: c.request.Bundle, NewNetwork: network}
	for _, m := range c.request.Rootfs {
		request.Mounts = append(request.Mounts, rootfs.Mount{Type: m.Type, Source: m.Source,
			Target: m.Target, Options: m.Options})
	}
	reply := make(chan error, 1)
	go func() { // returns at the process's end as well
		reply <- c.control.prepare(&request, func(name string, to io.Writer) error {
			return artifact.Find(ctx, c.containerd.Address, c.containerd.Namespace,
				c.request.ID, name, to)
		})
	}()
	select {
	case err := <-reply:
		if err != nil && c.cgroup.OOMKills() > 0 {
			return fmt.Errorf("out of memory while the module was compiled")
		}
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// reportEnd tells containerd of the end.
func (c *Container) reportEnd() {
	<-c.done
	defer close(c.reported)
	if c.cgroup.OOMKills() > 0 {
		c.events.Publish("/tasks/oom", &events.TaskOOM{ContainerID: c.request.ID})
	}
	c.events.Publish("/tasks/exit", &events.TaskExit{ContainerID: c.request.ID, ID: c.request.ID,
		Pid: c.Pid(), ExitStatus: c.exitStatus, ExitedAt: timestamppb.New(c.exitedAt)})
}

// release releases a container without a process.
func (c *Container) release() {
	if c.control != nil {
		c.control.Close()
	}
	if c.cmd == nil && c.streams != nil {
		c.streams.Release()
		c.streams.Close()
	}
	if c.cgroup != nil {
		c.cgroup.Delete()
	}
}

// Pid returns the number of the process.
func (c *Container) Pid() uint32 { return uint32(c.cmd.Process.Pid) }

// Start lets the guest start.
func (c *Container) Start() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.started || c.ended() {
		return fmt.Errorf("the container is not in the state created: %w",
			errdefs.ErrFailedPrecondition)
	}
	c.started = true
	c.streams.CloseInput()
	// The event comes before the guest can end.
	c.events.Publish("/tasks/start", &events.TaskStart{ContainerID: c.request.ID, Pid: c.Pid()})
	return c.control.start()
}

func (c *Container) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// State describes the container.
func (c *Container) State() *task.StateResponse {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &task.StateResponse{ID: c.request.ID, Bundle: c.request.Bundle, Pid: c.Pid(),
		Stdin: c.request.Stdin, Stdout: c.request.Stdout, Stderr: c.request.Stderr,
		Terminal: c.request.Terminal, Status: status.Status_CREATED}
	switch {
	case c.ended():
		r.Status, r.ExitStatus = status.Status_STOPPED, c.exitStatus
		r.ExitedAt = timestamppb.New(c.exitedAt)
	case c.started:
		r.Status = status.Status_RUNNING
	}
	return r
}

// Kill sends the process a signal. The error is errdefs.ErrNotFound if the process has ended.
func (c *Container) Kill(signal uint32) error { return c.signal(signal) }

// Wait waits for the end of the process.
func (c *Container) Wait(ctx context.Context) (*task.WaitResponse, error) {
	select {
	case <-c.done:
		return &task.WaitResponse{ExitStatus: c.exitStatus, ExitedAt: timestamppb.New(c.exitedAt)},
			nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Delete releases a container after the end of its process.
func (c *Container) Delete() (*task.DeleteResponse, error) {
	if !c.ended() {
		return nil, fmt.Errorf("the container still runs: %w", errdefs.ErrFailedPrecondition)
	}
	c.mu.Lock()
	again := c.deleted
	c.deleted = true
	c.mu.Unlock()
	if again {
		return nil, fmt.Errorf("the container is being deleted: %w", errdefs.ErrNotFound)
	}
	<-c.reported
	c.control.Close()
	if err := c.cgroup.Delete(); err != nil {
		return nil, err
	}
	at := timestamppb.New(c.exitedAt)
	c.events.Publish("/tasks/delete", &events.TaskDelete{ContainerID: c.request.ID, Pid: c.Pid(),
		ExitStatus: c.exitStatus, ExitedAt: at})
	return &task.DeleteResponse{Pid: c.Pid(), ExitStatus: c.exitStatus, ExitedAt: at}, nil
}

// Destroy ends the process and releases the container, in each of its states.
func (c *Container) Destroy() {
	c.cmd.Process.Kill()
	<-c.done
	c.Delete()
}

// Processes lists the container's processes.
func (c *Container) Processes() []*status.ProcessInfo {
	if c.ended() {
		return nil
	}
	return []*status.ProcessInfo{{Pid: c.Pid()}}
}

// Cgroup returns the container's cgroup.
func (c *Container) Cgroup() *cgroup.Group { return c.cgroup }

// Streams returns the container's standard streams.
func (c *Container) Streams() *stdio.Streams { return c.streams }

// exitStatus is the status of a process as a shell reports it.
func exitStatus(s *os.ProcessState) uint32 {
	if s == nil {
		return 255
	}
	if w := waitStatus(s); w.Signaled() {
		return 128 + uint32(w.Signal())
	}
	return uint32(s.ExitCode())
}
