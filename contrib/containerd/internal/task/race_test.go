package task

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v2"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// until waits until a condition holds.
func (s *shim) until(holds func() bool) {
	s.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.Fatal("got no end of a minute's wait, want one")
		}
	}
}

// TestForgetDuringCreation gives a container up while its process gets ready, which a quota of the
// processor delays.
func TestForgetDuringCreation(t *testing.T) {
	s := newShim(t, waiting)
	quota, period := int64(10_000), uint64(1_000_000) // microseconds
	s.spec.Linux.Resources = &specs.LinuxResources{
		CPU: &specs.LinuxCPU{Quota: &quota, Period: &period}}
	created := make(chan error, 1)
	go func() { created <- s.create() }()
	pidFile := filepath.Join(s.bundle, "wasport.pid")
	var pid int
	s.until(func() bool {
		text, _ := os.ReadFile(pidFile)
		pid, _ = strconv.Atoi(string(text))
		return pid > 0
	})
	if s.Empty() {
		t.Error("got an empty shim, want one that creates a container")
	}
	_, err := s.Create(t.Context(), &api.CreateTaskRequest{ID: s.id, Bundle: s.bundle})
	if !errdefs.IsAlreadyExists(errgrpc.ToNative(err)) {
		t.Errorf("got %v from a second creation, want that it exists", err)
	}
	s.forget(s.id)
	if err := <-created; err == nil || !strings.Contains(err.Error(), errGivenUp.Error()) {
		t.Errorf("got %v, want %v", err, errGivenUp)
	}
	left, _ := filepath.Glob("/sys/fs/cgroup/*/wasport-test/" + s.id)
	if err := unix.Kill(pid, 0); !errors.Is(err, unix.ESRCH) || len(left) > 0 || !s.Empty() {
		t.Errorf("got %v for its process and cgroups %q, want neither", err, left)
	}
}

// TestKillOfEndedProcess sends signals to a process until it has ended, while nobody has read the
// output of its terminal yet.
func TestKillOfEndedProcess(t *testing.T) {
	s := newShim(t, modules+"flood.wasm")
	s.start(func(r *api.CreateTaskRequest) { r.Terminal, r.Stderr = true, "" })
	s.readLine()
	s.kill(unix.SIGKILL)
	var err error
	s.until(func() bool {
		_, err = s.Kill(t.Context(), &api.KillRequest{ID: s.id})
		return err != nil
	})
	if !errdefs.IsNotFound(errgrpc.ToNative(err)) {
		t.Errorf("got %v, want that it is not found", err)
	}
	read(t, s.out)
	s.wait()
}
