package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/needs"
	"golang.org/x/sys/unix"
)

// patience is how long a test waits for things that take a moment on a machine that is not busy.
const patience = 60 * time.Second

const shimName = "containerd-shim-wasport-v1"

// A release is a containerd that the tests run.
type release struct {
	name            string
	containerd, ctr string
	version         int // of its configuration
	// runtime is the table of the CRI's runtimes, pause what follows its first keys, the image of
	// sandboxes, and plugins says where network plugins are.
	runtime, pause, plugins string
}

func releases() []release {
	built := filepath.Join(os.Getenv(programsKey), "2.4")
	return []release{{
		name: "1.6", containerd: "/usr/bin/containerd", ctr: "/usr/bin/ctr", version: 2,
		runtime: `plugins."io.containerd.grpc.v1.cri"`,
		pause:   fmt.Sprintf("sandbox_image = %q", pauseImage),
		plugins: fmt.Sprintf("bin_dir = %q", plugins),
	}, {
		name: "2.4", containerd: filepath.Join(built, "containerd"),
		ctr: filepath.Join(built, "ctr"), version: 3,
		runtime: `plugins."io.containerd.cri.v1.runtime"`,
		pause: fmt.Sprintf("[plugins.'io.containerd.cri.v1.images'.pinned_images]\nsandbox = %q",
			pauseImage),
		plugins: fmt.Sprintf("bin_dirs = [%q]", plugins),
	}}
}

// A node is a containerd of a test's own, with everything of it below one directory.
type node struct {
	testing.TB
	release
	dir     string
	process *exec.Cmd
}

// eachRelease runs a test with a node of each release.
func eachRelease(t *testing.T, test func(*testing.T, *node)) {
	t.Helper()
	require(t)
	for _, r := range releases() {
		t.Run("containerd "+r.name, func(t *testing.T) { test(t, startNode(t, r)) })
	}
}

// require skips the test where the tests of this package cannot run.
func require(t testing.TB) {
	t.Helper()
	if os.Getenv(stageKey) != "tests" {
		needs.Missing(t, errors.New("containerd takes root"))
	}
	needs.Programs(t, "containerd", "ctr", "runc", "gcc")
	if _, err := os.Stat(plugins); err != nil {
		needs.Missing(t, fmt.Errorf("%w: apt-get install containernetworking-plugins", err))
	}
}

// nodeConfig is the configuration of a node under test; 10.88 is its pods' network.
const nodeConfig = `
ceiling = """
allow = ["connect any", "listen any", "resolve *"]
deny = ["connect metadata", "connect tcp://any:25"]
"""
cache_dir = %q
[ranges]
pods = ["10.88.0.0/16"]
services = ["10.96.0.0/12"]
[limits]
memory = "256MiB"
threads = 128
`

func startNode(t testing.TB, r release) *node {
	t.Helper()
	// Below /run, a tmpfs of the tests, since a root directory may itself lie on an overlay, which
	// cannot hold another; and a short name, since a socket's has at most 107 bytes (unix(7)).
	dir, err := os.MkdirTemp("/run", "node")
	if err != nil {
		t.Fatal(err)
	}
	n := &node{TB: t, release: r, dir: dir}
	loopback(t)
	n.write("source/containerd.toml", fmt.Sprintf(nodeConfig, n.path("cache")))
	n.write("host/etc/containerd/config.toml", fmt.Sprintf(`
version = %d
root = %q
state = %q
[grpc]
address = %q
[%s]
restrict_oom_score_adj = true # else root in a container of CI may not set it
%s
[%[5]s.cni]
%[7]s
conf_dir = %q
`, r.version, n.path("root"), n.path("state"), n.socket(), r.runtime, r.pause, r.plugins,
		n.path("net.d")))
	n.install()
	n.write("net.d/pods.conf", bridge)
	t.Cleanup(n.end)
	n.start()
	return n
}

func (n *node) path(names ...string) string {
	return filepath.Join(append([]string{n.dir}, names...)...)
}

func (n *node) socket() string { return n.path("containerd.sock") }

func (n *node) write(name, content string) {
	n.Helper()
	if err := os.MkdirAll(filepath.Dir(n.path(name)), 0o755); err != nil {
		n.Fatal(err)
	}
	if err := os.WriteFile(n.path(name), []byte(content), 0o644); err != nil {
		n.Fatal(err)
	}
}

// start starts containerd, and waits until it answers.
func (n *node) start() {
	n.Helper()
	log, err := os.OpenFile(n.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		n.Fatal(err)
	}
	defer log.Close()
	n.process = exec.Command(n.containerd, "--config", n.path("host/etc/containerd/config.toml"))
	// A containerd needs its own shim for runc, which lies beside it.
	path := []string{n.path("host/usr/local/bin"), filepath.Dir(n.containerd), os.Getenv("PATH")}
	n.process.Env = append(os.Environ(), "PATH="+strings.Join(path, ":"),
		"WASPORT_CONTAINERD_CONFIG="+n.path("host/etc/wasport/containerd.toml"))
	n.process.Stdout, n.process.Stderr = log, log
	if err := n.process.Start(); err != nil {
		n.Fatal(err)
	}
	n.until("containerd answers", func() error {
		_, err := n.try(n.ctr, "--address", n.socket(), "version")
		return err
	})
}

// install adds the runtime to containerd's configuration as the installer of Kubernetes does.
func (n *node) install() {
	n.Helper()
	shim := filepath.Join(os.Getenv(programsKey), "shim", shimName)
	if err := os.Symlink(shim, n.path("source", shimName)); err != nil {
		n.Fatal(err)
	}
	cmd := exec.Command("env", "HOST="+n.path("host"), "SOURCE="+n.path("source"), "RESTART=true",
		"sh", "../../../deploy/kubernetes/install.sh")
	if out, err := cmd.CombinedOutput(); err != nil {
		n.Fatalf("%v: %s", err, out)
	}
}

// kill kills containerd alone, as a crash does.
func (n *node) kill() {
	n.process.Process.Kill()
	n.process.Wait()
}

// end stops containerd, and unmounts the mounts that a failed test has left.
func (n *node) end() {
	n.process.Process.Signal(syscall.SIGTERM)
	n.process.Wait()
	if n.Failed() {
		log, _ := os.ReadFile(n.path("log"))
		n.Logf("the log of containerd ends:\n%s", tail(log, 40))
	}
	removeCgroups(n)
	for _, mount := range mountsBelow(n, n.dir) {
		unix.Unmount(mount, unix.MNT_DETACH)
	}
	os.RemoveAll(n.dir)
}

// try runs a command, and returns its output.
func (n *node) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w\n%s%s", strings.Join(args, " "), err, &out, &errs)
	}
	return out.String(), nil
}

// both runs a command, and returns its output on both streams.
func (n *node) both(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	return string(out), err
}

// exitStatus returns the exit status of a command that ended with err.
func exitStatus(err error) int {
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// until waits until a condition holds, and fails the test with the last reason why it does not.
func (n *node) until(what string, holds func() error) {
	n.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if err = holds(); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	n.Fatalf("got %v, want that %s", err, what)
}

func tail(text []byte, lines int) string {
	all := strings.Split(string(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
