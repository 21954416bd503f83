package peers

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// namespace is containerd's namespace of ctr's containers, and the cgroup above theirs.
// Cgroups are the machine's, so other tests at the same time have another name.
var namespace = filepath.Base(os.Getenv(programsKey))

// ctrCommand returns ctr with arguments.
func (n *node) ctrCommand(args ...string) []string {
	return append([]string{n.ctr, "--address", n.socket(), "-n", namespace}, args...)
}

// tryCtr runs ctr, and returns its output.
func (n *node) tryCtr(args ...string) (string, error) { return n.try(n.ctrCommand(args...)...) }

// mustCtr runs ctr with arguments that it must accept.
func (n *node) mustCtr(args ...string) string {
	n.Helper()
	out, err := n.tryCtr(args...)
	if err != nil {
		n.Fatal(err)
	}
	return out
}

// A spec describes a run of ctr.
type spec struct {
	image  image
	native bool // under runc
	flags  []string
	policy string
	args   []string // the whole command, with the entry point; that of the image if there are none
}

// command returns the arguments of `ctr run`, for a container with the id.
func (s spec) command(id string, flags ...string) []string {
	all := []string{"run"}
	if !s.native {
		all = append(all, "--runtime", "io.containerd.wasport.v1")
	}
	if s.image.os == "" {
		all = append(all, "--platform", "wasip1/wasm")
	}
	if s.policy != "" {
		all = append(all, "--annotation", "wasport.dev/policy="+s.policy)
	}
	all = append(append(all, flags...), s.flags...)
	return append(append(all, s.image.name, id), s.args...)
}

// run runs a container to its end, and returns its output on both streams.
func (n *node) run(s spec) (string, error) {
	n.Helper()
	return n.both(n.ctrCommand(s.command("run-"+strconv.Itoa(counter()), "--rm")...)...)
}

// A container is one that a ctr in the background has started; ctr copies its output.
type container struct {
	*node
	id   string
	ctr  *exec.Cmd
	out  string // the name of a file
	done chan struct{}
}

// start starts a container. The test waits for its end, or else ends it.
func (n *node) begin(s spec) *container {
	n.Helper()
	id := "task-" + strconv.Itoa(counter())
	args := n.ctrCommand(s.command(id, "--rm")...)
	c := &container{n, id, exec.Command(args[0], args[1:]...), n.path(id), make(chan struct{})}
	out, err := os.Create(c.out)
	if err != nil {
		n.Fatal(err)
	}
	defer out.Close()
	c.ctr.Stdout, c.ctr.Stderr = out, out
	if err := c.ctr.Start(); err != nil {
		n.Fatal(err)
	}
	go func() {
		c.ctr.Wait()
		close(c.done)
	}()
	n.Cleanup(func() {
		c.ctr.Process.Kill()
		<-c.done
	})
	return c
}

func (c *container) output() string { return c.read(c.out) }

// waitFor waits until the container has printed a text.
func (c *container) waitFor(text string) {
	c.Helper()
	c.waitForLine(c.out, text)
}

// read reads a log. It may not exist yet.
func (n *node) read(file string) string {
	n.Helper()
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		n.Fatal(err)
	}
	return string(text)
}

// waitForLine waits until a log has a line with the text, and returns the rest of the line.
func (n *node) waitForLine(file, text string) string {
	n.Helper()
	var rest string
	n.until(fmt.Sprintf("%s has %q", file, text), func() error {
		log := n.read(file)
		_, after, _ := strings.Cut(log, text)
		var whole bool
		if rest, _, whole = strings.Cut(after, "\n"); !whole {
			return fmt.Errorf("%q", log)
		}
		return nil
	})
	return rest
}

// ended waits until the container has ended, and returns its exit status.
func (c *container) ended() int {
	c.Helper()
	select {
	case <-c.done:
	case <-time.After(patience):
		c.Fatalf("got no end of %s, want one; it has printed %q", c.id, c.output())
	}
	return c.ctr.ProcessState.ExitCode()
}

// listening waits until a server says in its log at which port it listens, and returns that.
func (n *node) listening(log string) uint16 {
	n.Helper()
	_, port, _ := strings.Cut(n.waitForLine(log, "listening "), " ")
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		n.Fatal(err)
	}
	return uint16(number)
}

// task returns the state of a task as `ctr task list` prints it, and its process.
func (n *node) task(id string) (state string, pid int) {
	n.Helper()
	for line := range strings.Lines(n.mustCtr("task", "list")) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == id {
			pid, _ = strconv.Atoi(fields[1])
			return fields[2], pid
		}
	}
	return "", 0
}

func readModule(t testing.TB, name string) []byte {
	t.Helper()
	module, err := os.ReadFile(filepath.Join("../../..", name))
	if err != nil {
		t.Fatal(err)
	}
	return module
}
