package task

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/containerd/cgroups/v3/cgroup1/stats"
	stats2 "github.com/containerd/cgroups/v3/cgroup2/stats"
	api "github.com/containerd/containerd/api/runtime/task/v2"
	status "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/typeurl/v2"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const (
	modules = "cmd/wasport/testdata/module/"
	waiting = modules + "sleep.wasm"
	spin    = "internal/guests/spin.wasm"
)

func (s *shim) state() status.Status {
	s.Helper()
	r, err := s.State(s.Context(), &api.StateRequest{ID: s.id})
	if err != nil {
		s.Fatal(err)
	}
	return r.Status
}

func (s *shim) kill(signal unix.Signal) {
	s.Helper()
	_, err := s.Kill(s.Context(), &api.KillRequest{ID: s.id, Signal: uint32(signal)})
	if err != nil {
		s.Fatal(err)
	}
}

func TestLife(t *testing.T) {
	s := newShim(t, modules+"exit.wasm")
	if err := s.create(); err != nil {
		t.Fatal(err)
	}
	if got := s.state(); got != status.Status_CREATED {
		t.Errorf("got %v after Create, want CREATED", got)
	}
	start := &api.StartRequest{ID: s.id}
	if _, err := s.Start(t.Context(), start); err != nil {
		t.Fatal(err)
	}
	if got := s.wait(); got != 44 {
		t.Errorf("got status %d, want 44", got)
	}
	if got := s.state(); got != status.Status_STOPPED {
		t.Errorf("got %v at the end, want STOPPED", got)
	}
	if _, err := s.Start(t.Context(), start); err == nil {
		t.Error("got a second start, want an error")
	}
	if err := s.create(); err == nil {
		t.Error("got a second container of the name, want an error")
	}
	if s.Empty() {
		t.Error("got an empty shim, want one with a container")
	}
	r, err := s.Delete(t.Context(), &api.DeleteRequest{ID: s.id})
	if err != nil || r.ExitStatus != 44 || r.Pid == 0 || r.ExitedAt.AsTime().IsZero() {
		t.Errorf("got %v, %v, want status 44, a process and a time", r, err)
	}
	if !s.Empty() {
		t.Error("got a shim with containers, want an empty one")
	}
	want := []string{"/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete"}
	if got := s.events.list(); !slices.Equal(got, want) {
		t.Errorf("got events %q, want %q", got, want)
	}
	left, _ := filepath.Glob("/sys/fs/cgroup/*/wasport-test/" + s.id)
	if _, err := s.State(t.Context(), &api.StateRequest{ID: s.id}); err == nil || len(left) > 0 {
		t.Errorf("got %v and cgroups %q after Delete, want an error and none", err, left)
	}
}

func TestArgumentsAndEnvironment(t *testing.T) {
	s := newShim(t, modules+"show.wasm", "one", "two words")
	s.spec.Process.Env, s.spec.Process.Cwd = []string{"A=b", "PATH=/bin"}, "/new/dir"
	out, errs, got := s.run()
	want := "/guest.wasm\none\ntwo words\nA=b\nPATH=/bin\nPWD=/new/dir\n"
	if out != want || got != 0 {
		t.Errorf("got %q, %q and status %d, want %q and 0", out, errs, got, want)
	}
}

func TestWorkingDirectory(t *testing.T) {
	s := newShim(t, modules+"files.wasm")
	s.write("rootfs/in", "of the root")
	out, errs, got := s.run()
	if out != "/\nof the root" || got != 0 {
		t.Errorf("got %q, %q and status %d, want the file", out, errs, got)
	}
	if _, err := os.Stat(filepath.Join(s.root, "out")); err != nil {
		t.Errorf("got %v, want the file that the guest has made", err)
	}
}

// TestAbsolutePathsInWorkingDirectory runs a program with wasi-libc, to which "/" and "." are one
// name, in a directory that is not the root. Its absolute paths start at the root all the same.
func TestAbsolutePathsInWorkingDirectory(t *testing.T) {
	s := newShim(t, "internal/guests/files.wasm", "/data")
	s.spec.Process.Cwd = "/app"
	if err := os.MkdirAll(filepath.Join(s.root, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, errs, got := s.run(); got != 0 {
		t.Errorf("got %q, %q and status %d, want 0", out, errs, got)
	}
}

func TestReadOnlyRoot(t *testing.T) {
	s := newShim(t, modules+"files.wasm")
	s.write("rootfs/in", "of the root")
	s.spec.Root.Readonly = true
	const erofs = 69 // in WASI's numbers
	if out, errs, got := s.run(); got != erofs {
		t.Errorf("got %q, %q and status %d, want EROFS, %d", out, errs, got, erofs)
	}
}

func TestKill(t *testing.T) {
	for _, row := range []struct {
		name, module string
		signal       unix.Signal
	}{
		{"computing, SIGTERM", spin, unix.SIGTERM}, {"computing, SIGKILL", spin, unix.SIGKILL},
		{"waiting, SIGTERM", waiting, unix.SIGTERM}, {"waiting, SIGKILL", waiting, unix.SIGKILL},
		{"waiting, SIGQUIT", waiting, unix.SIGQUIT}, {"waiting, SIGUSR1", waiting, unix.SIGUSR1},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newShim(t, row.module)
			s.start()
			s.readLine()
			if got := s.state(); got != status.Status_RUNNING {
				t.Errorf("got %v, want RUNNING", got)
			}
			s.kill(row.signal)
			if got, want := s.wait(), 128+uint32(row.signal); got != want {
				t.Errorf("got status %d, want %d", got, want)
			}
			if errs := read(t, s.errs); errs != "" {
				t.Errorf("got %q on stderr, want nothing", errs)
			}
		})
	}
}

func TestKillBeforeStart(t *testing.T) {
	for _, signal := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		s := newShim(t, waiting)
		if err := s.create(); err != nil {
			t.Fatal(err)
		}
		s.kill(signal)
		if got, want := s.wait(), 128+uint32(signal); got != want {
			t.Errorf("got status %d, want %d", got, want)
		}
	}
}

func TestRefusedRequests(t *testing.T) {
	s := newShim(t, waiting)
	s.start()
	for name, call := range map[string]func() error{
		"exec": func() error {
			_, err := s.Exec(t.Context(), &api.ExecProcessRequest{ID: s.id, ExecID: "x"})
			return err
		},
		"paused": func() error {
			_, err := s.Pause(t.Context(), &api.PauseRequest{ID: s.id})
			return err
		},
		"resumed": func() error {
			_, err := s.Resume(t.Context(), &api.ResumeRequest{ID: s.id})
			return err
		},
		"checkpoint": func() error {
			_, err := s.Checkpoint(t.Context(), &api.CheckpointTaskRequest{ID: s.id})
			return err
		},
		"still runs": func() error {
			_, err := s.Delete(t.Context(), &api.DeleteRequest{ID: s.id})
			return err
		},
		"no terminal": func() error {
			_, err := s.ResizePty(t.Context(), &api.ResizePtyRequest{ID: s.id, Width: 80})
			return err
		},
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want an error with %q", err, name)
		}
	}
	if got := s.state(); got != status.Status_RUNNING {
		t.Errorf("got %v after these, want RUNNING", got)
	}
}

func TestInput(t *testing.T) {
	s := newShim(t, "internal/guests/stdio.wasm")
	path := filepath.Join(s.bundle, "in")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	opened := make(chan *os.File)
	go func() {
		f, _ := os.OpenFile(path, os.O_WRONLY, 0) // waits for the shim, as containerd does
		opened <- f
	}()
	err := s.create(func(r *api.CreateTaskRequest) { r.Stdin = path })
	if err != nil {
		t.Fatal(err)
	}
	in := <-opened
	if _, err := s.Start(t.Context(), &api.StartRequest{ID: s.id}); err != nil {
		t.Fatal(err)
	}
	in.WriteString("a line\n")
	in.Close()
	if got := s.wait(); got != 0 {
		t.Errorf("got status %d, want 0", got)
	}
	if out := read(t, s.out); !strings.Contains(out, "in a line") {
		t.Errorf("got %q, want the line", out)
	}
}

func TestTerminal(t *testing.T) {
	s := newShim(t, waiting)
	s.start(func(r *api.CreateTaskRequest) { r.Terminal, r.Stderr = true, "" })
	if got := s.readLine(); got != "waiting\r" {
		t.Errorf("got %q, want a line of a terminal", got)
	}
	_, err := s.ResizePty(t.Context(), &api.ResizePtyRequest{ID: s.id, Width: 91, Height: 37})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.State(t.Context(), &api.StateRequest{ID: s.id})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("/proc/" + strconv.Itoa(int(r.Pid)) + "/fd/1")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col != 91 || size.Row != 37 {
		t.Errorf("got %+v, %v, want 91 by 37", size, err)
	}
}

func TestStatsAndUpdate(t *testing.T) {
	s := newShim(t, waiting)
	limit := int64(300 << 20)
	s.spec.Linux.Resources = &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &limit}}
	s.start()
	s.readLine()
	for _, want := range []uint64{300 << 20, 200 << 20} {
		r, err := s.Stats(t.Context(), &api.StatsRequest{ID: s.id})
		if err != nil {
			t.Fatal(err)
		}
		figures, err := typeurl.UnmarshalAny(r.Stats)
		if err != nil {
			t.Fatal(err)
		}
		var usage, got uint64
		switch m := figures.(type) {
		case *stats.Metrics:
			usage, got = m.Memory.Usage.Usage, m.Memory.Usage.Limit
		case *stats2.Metrics:
			usage, got = m.Memory.Usage, m.Memory.UsageLimit
		}
		if usage == 0 || got != want {
			t.Errorf("got %d of %d bytes, want some of %d", usage, got, want)
		}
		update := &api.UpdateTaskRequest{ID: s.id, Resources: resources(t, 200<<20)}
		if _, err := s.Update(t.Context(), update); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOutOfMemory(t *testing.T) {
	s := newShim(t, "internal/integration_test/testdata/hungry.wasm")
	limit := int64(60 << 20)
	s.spec.Linux.Resources = &specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: &limit, Swap: &limit}}
	if _, errs, got := s.run(); got != 137 {
		t.Errorf("got status %d and %q, want 137", got, errs)
	}
	if _, err := s.Delete(t.Context(), &api.DeleteRequest{ID: s.id}); err != nil {
		t.Fatal(err)
	}
	want := []string{"/tasks/create", "/tasks/start", "/tasks/oom", "/tasks/exit", "/tasks/delete"}
	if got := s.events.list(); !slices.Equal(got, want) {
		t.Errorf("got events %q, want %q", got, want)
	}
}

func TestProcesses(t *testing.T) {
	s := newShim(t, waiting)
	s.start()
	state, err := s.State(t.Context(), &api.StateRequest{ID: s.id})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Pids(t.Context(), &api.PidsRequest{ID: s.id})
	if err != nil || len(r.Processes) != 1 || r.Processes[0].Pid != state.Pid {
		t.Errorf("got %v, %v, want process %d", r, err, state.Pid)
	}
	c, err := s.Connect(t.Context(), &api.ConnectRequest{ID: s.id})
	if err != nil || c.TaskPid != state.Pid || int(c.ShimPid) != os.Getpid() {
		t.Errorf("got %v, %v, want processes %d and %d", c, err, os.Getpid(), state.Pid)
	}
	text, err := os.ReadFile("/proc/" + strconv.Itoa(int(state.Pid)) + "/cgroup")
	if err != nil || !strings.Contains(string(text), s.spec.Linux.CgroupsPath) {
		t.Errorf("got cgroups %q, %v, want %s", text, err, s.spec.Linux.CgroupsPath)
	}
}

func TestForgetEndsAContainer(t *testing.T) {
	s := newShim(t, spin)
	s.expect("other")
	s.start()
	s.readLine()
	s.forget(s.id)
	if s.Empty() {
		t.Error("got an empty shim, want one that expects a container")
	}
	s.forget("other")
	<-s.ended
	if !s.Empty() {
		t.Error("got a shim with containers, want an empty one")
	}
}

// TestResolverOfThePod looks up a short name, which the pod's search domain completes and its hosts
// file has.
func TestResolverOfThePod(t *testing.T) {
	s := newShim(t, "internal/guests/lookup.wasm", "db", "80", "4", "tcp")
	s.write("resolv.conf", "nameserver 127.0.0.1\nsearch prod.test\noptions ndots:5\n")
	s.mount("resolv.conf", "/etc/resolv.conf", "rw")
	s.write("hosts", "10.0.0.9 db.prod.test\n")
	s.mount("hosts", "/etc/hosts", "rw")
	s.spec.Annotations["wasport.dev/policy"] =
		`allow = ["resolve db.prod.test", "connect tcp://10.0.0.9:80"]`
	out, errs, got := s.run()
	if want := "10.0.0.9 80 stream\n"; out != want || got != 0 {
		t.Errorf("got %q, %q and status %d, want %q", out, errs, got, want)
	}
}

// TestLogHasRefusalsAuditAndTrace looks at stderr, which the container's log keeps.
func TestLogHasRefusalsAuditAndTrace(t *testing.T) {
	s := newShim(t, "internal/guests/lookup.wasm", "db.test", "80", "4", "tcp")
	s.spec.Annotations["wasport.dev/audit"] = "true"
	s.spec.Annotations["wasport.dev/trace"] = "true"
	_, errs, got := s.run()
	for _, want := range []string{"wasport: denied resolve db.test", "to allow it: ",
		`"action":"resolve"`, "sock_addr_resolve"} {
		if !strings.Contains(errs, want) || got != 1 {
			t.Errorf("got status %d and\n%s\nwant 1 and %q", got, errs, want)
		}
	}
}
