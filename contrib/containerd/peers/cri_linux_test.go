package peers

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// podNamespace is containerd's namespace of the CRI's containers.
const podNamespace = "k8s.io"

func crictl() string { return filepath.Join(os.Getenv(programsKey), "2.4", "crictl") }

// crictl runs crictl with arguments that it must accept, and returns its output.
func (n *node) crictl(args ...string) string {
	n.Helper()
	out, err := n.tryCrictl(args...)
	if err != nil {
		n.Fatal(err)
	}
	return strings.TrimSpace(out)
}

func (n *node) tryCrictl(args ...string) (string, error) {
	// As patient as a kubelet: the first start of a module compiles it.
	at := "unix://" + n.socket()
	return n.try(append([]string{crictl(), "--timeout", "60s", "--runtime-endpoint", at,
		"--image-endpoint", at}, args...)...)
}

// A podSandbox is a pod that a test has made through the CRI.
type podSandbox struct {
	*node
	id, config, logs string
	address          netip.Addr
}

// object is JSON, as the CRI's messages are written (cri-api, pkg/apis/runtime/v1/api.proto).
type object = map[string]any

// file writes an object into a file, and returns its name.
func (n *node) file(v object) string {
	n.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		n.Fatal(err)
	}
	name := "object-" + strconv.Itoa(counter()) + ".json"
	n.write(name, string(text))
	return n.path(name)
}

// sandbox makes a pod with annotations (RunPodSandbox), and removes it after the test.
func (n *node) sandbox(annotations map[string]string) podSandbox {
	n.Helper()
	n.loadPause()
	name := "pod-" + strconv.Itoa(counter())
	p := podSandbox{node: n, logs: n.path(name)}
	p.config = n.file(object{
		"metadata":    object{"name": name, "namespace": "default", "uid": name, "attempt": 1},
		"annotations": annotations, "log_directory": p.logs,
		// The kubelet makes a cgroup for each pod, and removes it.
		"linux": object{"cgroup_parent": "/" + namespace},
	})
	p.id = n.crictl("runp", "--runtime", "wasport", p.config)
	n.Cleanup(func() { n.tryCrictl("rmp", "--force", p.id) })
	var status struct {
		Status struct{ Network struct{ IP netip.Addr } }
	}
	n.inspect(&status, "inspectp", p.id)
	p.address = status.Status.Network.IP
	return p
}

// loadPause loads the image of sandboxes, once.
func (n *node) loadPause() {
	n.Helper()
	i := native(n, "pause")
	i.name = pauseImage
	if !strings.Contains(n.crictl("images"), "wasport.test/pause") {
		n.load(podNamespace, i)
	}
}

// inspect decodes crictl's description of a thing.
func (n *node) inspect(v any, args ...string) {
	n.Helper()
	out := n.crictl(append([]string{args[0], "--output", "json"}, args[1:]...)...)
	if err := json.Unmarshal([]byte(out), v); err != nil {
		n.Fatalf("got %v and %s, want JSON", err, out)
	}
}

// A member is a container of a pod.
type member struct {
	podSandbox
	id, log string
}

// create makes a container of an image in a pod (CreateContainer), with more keys of its
// configuration.
func (p podSandbox) create(i image, more object) (member, error) {
	p.Helper()
	p.load(podNamespace, i)
	name := "container-" + strconv.Itoa(counter())
	config := object{
		"metadata": object{"name": name, "attempt": 1},
		"image":    object{"image": i.name},
		"log_path": name + ".log",
	}
	for key, value := range more {
		config[key] = value
	}
	id, err := p.tryCrictl("create", p.id, p.file(config), p.config)
	return member{p, strings.TrimSpace(id), filepath.Join(p.logs, name+".log")}, err
}

// start creates a container and starts it.
func (p podSandbox) start(i image, more object) member {
	p.Helper()
	m, err := p.create(i, more)
	if err != nil {
		p.Fatal(err)
	}
	p.crictl("start", m.id)
	return m
}

// state is the state of a container as the CRI tells it.
type state struct {
	Status struct {
		State, Reason string
		ExitCode      int
	}
}

// exited waits until a container has ended.
func (m member) exited() state {
	m.Helper()
	var s state
	m.until(m.id+" ends", func() error {
		m.inspect(&s, "inspect", m.id)
		if s.Status.State != "CONTAINER_EXITED" {
			return fmt.Errorf("%v, with the log %q", s, m.read(m.log))
		}
		return nil
	})
	return s
}
