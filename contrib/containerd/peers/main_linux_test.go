package peers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Environment variables of the processes that run the tests.
const (
	stageKey    = "WASPORT_PEERS_STAGE"
	programsKey = "WASPORT_PEERS_PROGRAMS"
	// builtKey names a directory with a containerd, ctr, containerd-shim-runc-v2 and crictl that
	// have been built before, or that are of another version.
	builtKey = "WASPORT_CONTAINERD"
)

// TestMain runs the tests in process, network and mount namespaces of their own, so that nothing
// that they start outlives them or meets the machine's containerd.
func TestMain(m *testing.M) {
	switch os.Getenv(stageKey) {
	case "init":
		os.Exit(asInit())
	case "tests":
		os.Exit(m.Run())
	}
	if os.Geteuid() != 0 {
		os.Exit(m.Run()) // each test then names the thing that it lacks
	}
	status, err := inNamespaces()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func inNamespaces() (status int, err error) {
	dir, err := os.MkdirTemp("", "wasport-peers")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if err := build(dir); err != nil {
		return 1, err
	}
	cmd := again("init")
	cmd.Env = append(cmd.Env, programsKey+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET,
		Pdeathsig:  unix.SIGKILL,
	}
	return statusOf(cmd.Run())
}

// build builds containerd and crictl from their modules, the shim, and the native programs that
// runc runs.
func build(dir string) error {
	for _, sub := range []string{"2.4", "shim"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	built := []string{"go", "build", "-buildvcs=false", "-ldflags=-s -w",
		"-tags=no_btrfs,no_zfs,no_devmapper", "-o", filepath.Join(dir, "2.4") + "/", "tool"}
	if from := os.Getenv(builtKey); from != "" {
		built = []string{"cp", "-rT", from, filepath.Join(dir, "2.4")}
	}
	// Without version control in the binary: the repository may belong to another user.
	commands := [][]string{
		built,
		{"go", "build", "-C", "..", "-buildvcs=false", "-ldflags=-s -w",
			"-o", filepath.Join(dir, "shim") + "/", "./cmd/containerd-shim-wasport-v1"},
	}
	for name, source := range map[string]string{
		"hello": "../../../bench/src/hello.c", "pause": "testdata/pause.c",
	} {
		commands = append(commands,
			[]string{"gcc", "-static", "-O2", "-o", filepath.Join(dir, name), source})
	}
	for _, args := range commands {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w\n%s", args, err, out)
		}
	}
	return nil
}

// asInit is the first process of the process namespace: it mounts the tests' files, starts them,
// and waits for orphans, as shims are.
func asInit() int {
	err := errors.Join(
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""),
		unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"),
	)
	cmd := again("tests")
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for {
		var ws unix.WaitStatus
		switch pid, err := unix.Wait4(-1, &ws, 0, nil); {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			fmt.Fprintln(os.Stderr, err)
			return 1
		case pid == cmd.Process.Pid && ws.Exited():
			return ws.ExitStatus()
		case pid == cmd.Process.Pid:
			return 1
		}
	}
}

// again returns this command with its arguments, as the given stage.
func again(stage string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), stageKey+"="+stage)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd
}

func statusOf(err error) (int, error) {
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}
