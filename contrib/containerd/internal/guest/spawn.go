package guest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/contrib/containerd/internal/bundle"
	"github.com/wasport/wasport/contrib/containerd/internal/cgroup"
	"github.com/wasport/wasport/contrib/containerd/internal/child"
	"github.com/wasport/wasport/contrib/containerd/internal/node"
	"github.com/wasport/wasport/contrib/containerd/internal/stdio"
)

const newNetwork = syscall.CLONE_NEWNET

// process is a child that has been started.
type process struct {
	*exec.Cmd
	control *control
}

// spawn starts the child in the container's cgroup and network namespace, and in a mount, process,
// IPC and UTS namespace of its own.
func spawn(id string, b *bundle.Bundle, group *cgroup.Group, s *stdio.Streams, terminal bool) (
	*process, error) {
	control, theirs, err := newControl()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{child.Command, id}, Dir: "/",
		Env:   []string{node.PathVariable + "=" + os.Getenv(node.PathVariable)},
		Stdin: s.Process[0], Stdout: s.Process[1], Stderr: s.Process[2],
		ExtraFiles: []*os.File{theirs},
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Setctty: terminal,
			Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC |
				syscall.CLONE_NEWUTS},
	}
	network, shared := b.NetworkNamespace()
	if network == "" && !shared {
		cmd.SysProcAttr.Cloneflags |= newNetwork
	}
	if err := onThread(func() error { return startFrom(cmd, network, group) }); err != nil {
		control.Close()
		return nil, err
	}
	return &process{cmd, control}, nil
}

// onThread calls a function on a thread that ends afterwards, since it enters a container's cgroup
// and network.
func onThread(f func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and with it this goroutine ends the thread
		if unix.Gettid() != unix.Getpid() {
			result <- f()
			return
		}
		// Go cannot end the first thread. While that is locked here, another one is used.
		defer runtime.UnlockOSThread()
		result <- onThread(f)
	}()
	return <-result
}

// startFrom starts a command from the calling thread, which it moves into the cgroup and the
// network namespace.
func startFrom(cmd *exec.Cmd, network string, group *cgroup.Group) error {
	if network != "" {
		ns, err := os.Open(network)
		if err != nil {
			return fmt.Errorf("network namespace: %w", err)
		}
		defer ns.Close()
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter the network namespace %s: %w", network, err)
		}
	}
	release, err := group.Place(cmd)
	if err != nil {
		return fmt.Errorf("enter the cgroup: %w", err)
	}
	defer release()
	return cmd.Start()
}

// control is the shim's end of the pair of sockets between it and a child.
type control struct {
	*os.File
	in  *json.Decoder
	out *json.Encoder
}

// newControl returns the pair.
func newControl() (ours *control, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	// Non-blocking descriptors use Go's poller, so that Close ends a read.
	if err := unix.SetNonblock(fds[0], true); err != nil {
		return nil, nil, err
	}
	f := os.NewFile(uintptr(fds[0]), "control")
	theirs = os.NewFile(uintptr(fds[1]), "child")
	return &control{f, json.NewDecoder(f), json.NewEncoder(f)}, theirs, nil
}

// prepare sends a request and returns the error that the child answers. It has find write a module
// that is not in the container's files.
func (c *control) prepare(r *child.Request, find func(name string, to io.Writer) error) error {
	if err := c.out.Encode(r); err != nil {
		return err
	}
	for searched := false; ; searched = true {
		var reply child.Reply
		switch err := c.in.Decode(&reply); {
		case err != nil:
			return fmt.Errorf("the container's process did not answer: %w", err)
		case reply.Error != "":
			return errors.New(reply.Error)
		case reply.Missing == "" || searched:
			return nil
		}
		if err := find(reply.Missing, parts{c.out}); err != nil {
			return fmt.Errorf("there is no module %q in the container's files, nor in its image: "+
				"%w", reply.Missing, err)
		}
		if err := c.out.Encode(child.Part{}); err != nil {
			return err
		}
	}
}

// parts sends a module to a child.
type parts struct{ out *json.Encoder }

func (p parts) Write(data []byte) (int, error) {
	if len(data) == 0 {
		return 0, nil // would be the end
	}
	return len(data), p.out.Encode(child.Part{Data: data})
}

// start lets the child's guest start.
func (c *control) start() error { return c.out.Encode(child.Go{}) }

// signal sends the process a signal. The error is errdefs.ErrNotFound if it has ended.
func (c *Container) signal(number uint32) error {
	err := c.cmd.Process.Signal(syscall.Signal(number))
	if errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%w: %w", err, errdefs.ErrNotFound)
	}
	return err
}

func waitStatus(s *os.ProcessState) syscall.WaitStatus {
	w, _ := s.Sys().(syscall.WaitStatus)
	return w
}
