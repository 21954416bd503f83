// Package bundle reads the directory that containerd has made for a container: the OCI
// specification in it (config.json), and the pod's annotations there.
//
// Only root can write to the directory. The parts of it that come from a pod's author,
// such as arguments and annotations, is untrusted, and so is the path of a module: it belongs to
// package rootfs. Files that the shim itself leaves for a later process of its own are here too.
package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Annotations of containerd's CRI plugin.
const (
	sandboxAnnotation = "io.kubernetes.cri.sandbox-id"
	kindAnnotation    = "io.kubernetes.cri.container-type"
	nameAnnotation    = "io.kubernetes.cri.container-name"
)

// Files of the shim in a bundle.
const (
	// pidFile has the number of the container's process.
	pidFile = "wasport.pid"
	// paramsFile has the input of start, from containerd.
	paramsFile = "wasport.params"
	// nativeFile has the output of the start of the other shim that runs the container.
	nativeFile = "wasport.native"
)

// Bundle is a container's directory.
type Bundle struct {
	Path string
	Spec *specs.Spec
}

// Load reads the bundle at a path.
func Load(path string) (*Bundle, error) {
	text, err := os.ReadFile(filepath.Join(path, "config.json"))
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	var spec specs.Spec
	if err := json.Unmarshal(text, &spec); err != nil {
		return nil, fmt.Errorf("bundle %s: config.json: %w", path, err)
	}
	if spec.Process == nil || spec.Root == nil {
		return nil, fmt.Errorf("bundle %s: config.json has no process or no root", path)
	}
	if !filepath.IsAbs(spec.Root.Path) {
		spec.Root.Path = filepath.Join(path, spec.Root.Path)
	}
	return &Bundle{Path: path, Spec: &spec}, nil
}

// Group names the containers that one shim serves: those of the pod, or the container alone.
func (b *Bundle) Group(id string) string {
	if pod := b.Spec.Annotations[sandboxAnnotation]; pod != "" {
		return pod
	}
	return id
}

// IsSandbox reports whether the container is the pause container of a pod.
func (b *Bundle) IsSandbox() bool { return b.Spec.Annotations[kindAnnotation] == "sandbox" }

// ContainerName is the name that a pod gives the container, or "".
func (b *Bundle) ContainerName() string { return b.Spec.Annotations[nameAnnotation] }

// IsGuest reports whether the container is a module of WebAssembly: the name of its program ends in
// .wasm.
func (b *Bundle) IsGuest() bool {
	args := b.Spec.Process.Args
	return !b.IsSandbox() && len(args) > 0 && strings.HasSuffix(args[0], ".wasm")
}

// NetworkNamespace returns the path of the container's network namespace. It is "" for a new one.
// The container uses the host's if shared is true.
func (b *Bundle) NetworkNamespace() (path string, shared bool) {
	if b.Spec.Linux != nil {
		for _, n := range b.Spec.Linux.Namespaces {
			if n.Type == specs.NetworkNamespace {
				return n.Path, false
			}
		}
	}
	return "", true
}

// HasUserNamespace reports whether the specification asks for a user namespace.
func (b *Bundle) HasUserNamespace() bool {
	if b.Spec.Linux != nil {
		for _, n := range b.Spec.Linux.Namespaces {
			if n.Type == specs.UserNamespace {
				return true
			}
		}
	}
	return false
}

// WritePid keeps the number of the container's process.
func WritePid(path string, pid int) error {
	return os.WriteFile(filepath.Join(path, pidFile), []byte(strconv.Itoa(pid)), 0o600)
}

// ReadPid returns the number that WritePid kept, or 0.
func ReadPid(path string) int {
	text, err := os.ReadFile(filepath.Join(path, pidFile))
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(string(text))
	return pid
}

// WriteParams keeps the parameters of start for the shim of a container that is no guest.
func WriteParams(path string, params []byte) error {
	return os.WriteFile(filepath.Join(path, paramsFile), params, 0o600)
}

// ReadParams returns the parameters that WriteParams kept, or nil.
func ReadParams(path string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(path, paramsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// WriteNative keeps the output of the start of another shim, which runs the container.
func WriteNative(path string, started []byte) error {
	return os.WriteFile(filepath.Join(path, nativeFile), started, 0o600)
}

// ReadNative returns the output that WriteNative kept. No other shim runs the container if ok is
// false.
func ReadNative(path string) (started []byte, ok bool) {
	started, err := os.ReadFile(filepath.Join(path, nativeFile))
	return started, err == nil
}
