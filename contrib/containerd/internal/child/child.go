// Package child is the process of one container. It moves into the container's files, compiles the
// module, gives up every privilege, and runs the guest.
//
// The order makes it safe. The process begins as root in the host's tree, but in the
// container's cgroup and namespaces. Until it has entered the container's root it reads the node's
// configuration and the cache of compiled modules, which it may write to. It has read of the pod
// only texts and the module, both bounded, through package rootfs. Nothing of the guest has run
// then. When the guest starts, the process has left the host's files, is the image's user, and may
// make few system calls (package confine).
package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/contrib/containerd/internal/bundle"
	"github.com/wasport/wasport/contrib/containerd/internal/confine"
	"github.com/wasport/wasport/contrib/containerd/internal/node"
	"github.com/wasport/wasport/contrib/containerd/internal/rootfs"
)

// Exit statuses, which are those of the command wasport.
const (
	statusFailure = 1
	statusTimeout = 124
	statusTrap    = 126
	statusSignal  = 128 // plus the signal's number
)

// signals are those that end a process by default (signal(7)) and that an image may name as its
// StopSignal. A guest has no signals, so each ends it.
var signals = []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGUSR1,
	syscall.SIGUSR2, syscall.SIGALRM, syscall.SIGTERM, syscall.Signal(37)} // SIGRTMIN+3

// signalError is the reason of a guest's end by a signal.
type signalError struct{ syscall.Signal }

func (s signalError) Error() string { return "ended by signal: " + s.Signal.String() }

// Main is the child's main function. It returns the exit status.
func Main() int {
	ctx, cancel := context.WithCancelCause(context.Background())
	started := make(chan struct{})
	received := make(chan os.Signal, 1)
	signal.Notify(received, signals...)
	go func() {
		s := (<-received).(syscall.Signal)
		select {
		case <-started:
			cancel(signalError{s})
		default:
			os.Exit(statusSignal + int(s))
		}
	}()
	control := os.NewFile(ControlFD, "control")
	syscall.CloseOnExec(ControlFD)
	in := json.NewDecoder(control)
	var request Request
	if err := in.Decode(&request); err != nil {
		return statusFailure
	}
	out := json.NewEncoder(control)
	g, err := prepare(ctx, &request, func(name string) ([]byte, error) {
		if err := out.Encode(Reply{Missing: name}); err != nil {
			return nil, err
		}
		return ReadParts(in)
	})
	reply := Reply{}
	if err != nil {
		reply.Error = err.Error()
	}
	if out.Encode(reply) != nil || err != nil || in.Decode(&Go{}) != nil {
		return statusFailure
	}
	close(started)
	go func() {
		in.Decode(&Go{}) // returns at the shim's end
		os.Exit(statusSignal + int(syscall.SIGKILL))
	}()
	return g.run(ctx)
}

// prepare does everything before the guest's start. It asks fetch for a module that is not in the
// container's files.
func prepare(ctx context.Context, r *Request, fetch fetcher) (*guest, error) {
	b, err := bundle.Load(r.Bundle)
	if err != nil {
		return nil, err
	}
	config, err := node.Load()
	if err != nil {
		return nil, err
	}
	if err := setOOMScore(b); err != nil {
		return nil, err
	}
	if r.NewNetwork {
		if err := raiseLoopback(); err != nil {
			return nil, fmt.Errorf("loopback of the new network: %w", err)
		}
	}
	tree, err := rootfs.Build(b.Spec.Root.Path, b.Spec, r.Mounts)
	if err != nil {
		return nil, err
	}
	g, err := newGuest(ctx, b, config, tree, fetch)
	if err != nil {
		return nil, err
	}
	if err := tree.Pivot(); err != nil {
		return nil, err
	}
	if err := confine.Drop(b.Spec.Process); err != nil {
		return nil, err
	}
	return g, confine.Filter()
}

// setOOMScore sets how likely the kernel chooses this process when memory is short
// (proc_pid_oom_score_adj(5)). The shim's own value is of no use here.
func setOOMScore(b *bundle.Bundle) error {
	score := 0
	if p := b.Spec.Process.OOMScoreAdj; p != nil {
		score = *p
	}
	return os.WriteFile("/proc/self/oom_score_adj", []byte(strconv.Itoa(score)), 0)
}

// raiseLoopback brings the interface lo up (netdevice(7)).
func raiseLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, request); err != nil {
		return err
	}
	request.SetUint16(request.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}

// run runs the guest to its end and returns the exit status.
func (g *guest) run(ctx context.Context) int {
	status, err := g.module.Run(ctx, g.config)
	var trap *wasport.Trap
	var ended signalError
	switch {
	case err == nil:
		return int(status.Code & 0xff)
	case errors.As(err, &ended):
		return statusSignal + int(ended.Signal)
	case errors.As(err, &trap):
		g.log.print(err.Error()+"\n"+trap.Stack, "")
		return statusTrap
	case errors.Is(err, wasport.ErrCPU):
		g.log.print(err.Error(), "")
		return statusTimeout
	}
	g.log.print(err.Error(), "")
	return statusFailure
}
