package task

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	api "github.com/containerd/containerd/api/runtime/task/v2"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/wasport/wasport/contrib/containerd/internal/child"
	"github.com/wasport/wasport/contrib/containerd/internal/native"
	"github.com/wasport/wasport/contrib/containerd/internal/node"
	"github.com/wasport/wasport/internal/needs"
)

// TestMain makes this program the process of a container, as which it starts itself.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == child.Command {
		os.Exit(child.Main())
	}
	os.Exit(m.Run())
}

// recorder keeps the topics of events.
type recorder struct {
	mu     sync.Mutex
	topics []string
}

func (r *recorder) Publish(topic string, _ proto.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.topics = append(r.topics, topic)
}

func (r *recorder) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.topics)
}

// shim is a service under test, with one container.
type shim struct {
	*testing.T
	*Service
	events recorder
	ended  chan struct{}

	id, bundle, root string
	spec             *specs.Spec
	out, errs        *os.File
}

var containers atomic.Int32

// newShim makes a bundle for a module of this repository, and a service.
func newShim(t *testing.T, module string, args ...string) *shim {
	t.Helper()
	switch {
	case os.Getuid() != 0:
		needs.Missing(t, errors.New("containers take root"))
	case withCgo:
		needs.Missing(t, errors.New("a program without cgo: CGO_ENABLED=0 go test"))
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "node.toml")
	t.Setenv(node.PathVariable, config)
	s := &shim{T: t, ended: make(chan struct{}, 100), bundle: dir,
		id:   fmt.Sprintf("wasport-test-%d-%d", os.Getpid(), containers.Add(1)),
		root: filepath.Join(dir, "rootfs")}
	s.Service = New(native.Flags{Namespace: "test"}, &s.events, func() { s.ended <- struct{}{} })
	s.write("node.toml", fmt.Sprintf("cache_dir = %q\n", filepath.Join(dir, "cache")))
	wasm, err := os.ReadFile(filepath.Join("../../../..", module))
	if err != nil {
		t.Fatal(err)
	}
	s.write("rootfs/guest.wasm", string(wasm))
	s.spec = &specs.Spec{Root: &specs.Root{Path: "rootfs"},
		Process: &specs.Process{Args: append([]string{"/guest.wasm"}, args...), Cwd: "/"},
		Linux: &specs.Linux{CgroupsPath: "/wasport-test/" + s.id,
			Namespaces: []specs.LinuxNamespace{{Type: specs.NetworkNamespace}}},
		Annotations: map[string]string{}}
	s.out, s.errs = s.fifo("out"), s.fifo("err")
	t.Cleanup(func() { s.forget(s.id) })
	return s
}

func (s *shim) write(name, text string) {
	s.Helper()
	path := filepath.Join(s.bundle, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.Fatal(err)
	}
}

// mount puts a file or directory of the bundle into the container.
func (s *shim) mount(name, destination, mode string) {
	s.spec.Mounts = append(s.spec.Mounts, specs.Mount{Type: "bind", Destination: destination,
		Source: filepath.Join(s.bundle, name), Options: []string{"rbind", mode}})
}

// fifo makes a FIFO and opens it as containerd does.
func (s *shim) fifo(name string) *os.File {
	s.Helper()
	path := filepath.Join(s.bundle, name)
	if err := unix.Mkfifo(path, 0o600); err != nil {
		s.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { f.Close() })
	return f
}

// create asks for the container.
func (s *shim) create(change ...func(*api.CreateTaskRequest)) error {
	s.Helper()
	text, err := json.Marshal(s.spec)
	if err != nil {
		s.Fatal(err)
	}
	s.write("config.json", string(text))
	r := &api.CreateTaskRequest{ID: s.id, Bundle: s.bundle,
		Stdout: filepath.Join(s.bundle, "out"), Stderr: filepath.Join(s.bundle, "err")}
	for _, f := range change {
		f(r)
	}
	_, err = s.Create(s.Context(), r)
	return err
}

// start creates and starts the container.
func (s *shim) start(change ...func(*api.CreateTaskRequest)) {
	s.Helper()
	if err := s.create(change...); err != nil {
		s.Fatal(err)
	}
	if _, err := s.Start(s.Context(), &api.StartRequest{ID: s.id}); err != nil {
		s.Fatal(err)
	}
}

// run runs the container to its end, and returns its output and status.
func (s *shim) run() (out, errs string, status uint32) {
	s.Helper()
	s.start()
	status = s.wait()
	return read(s.T, s.out), read(s.T, s.errs), status
}

// wait waits for the end of the container.
func (s *shim) wait() uint32 {
	s.Helper()
	r, err := s.Wait(s.Context(), &api.WaitRequest{ID: s.id})
	if err != nil {
		s.Fatal(err)
	}
	return r.ExitStatus
}

// read reads a FIFO to its end.
func read(t *testing.T, f *os.File) string {
	t.Helper()
	var b strings.Builder
	if _, err := f.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// readLine reads a line from a FIFO.
func (s *shim) readLine() string {
	s.Helper()
	s.out.SetReadDeadline(time.Now().Add(time.Minute))
	var line []byte
	for b := make([]byte, 1); ; line = append(line, b[0]) {
		if _, err := s.out.Read(b); err != nil || b[0] == '\n' {
			return string(line)
		}
	}
}

// resources is a limit of memory in the form of a request for an update.
func resources(t *testing.T, memory int64) *anypb.Any {
	t.Helper()
	text, err := json.Marshal(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &memory}})
	if err != nil {
		t.Fatal(err)
	}
	return &anypb.Any{Value: text}
}
