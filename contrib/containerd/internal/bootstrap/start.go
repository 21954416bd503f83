package bootstrap

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	api "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/proto"

	"github.com/wasport/wasport/contrib/containerd/internal/bundle"
	"github.com/wasport/wasport/contrib/containerd/internal/task"
)

// serve is the action of the process that start leaves behind. Its descriptor 3 is the socket.
const serve = "serve"

// maxParams bounds the input of start.
const maxParams = 16 << 20

// Start finds or starts the shim of a container's pod, and returns the output for containerd. The
// input has containerd's parameters.
func Start(f *Flags, stdin io.Reader) ([]byte, error) {
	input, err := io.ReadAll(io.LimitReader(stdin, maxParams))
	if err != nil {
		return nil, fmt.Errorf("parameters: %w", err)
	}
	params := readParams(f, input)
	b, err := bundle.Load(f.Bundle)
	if err != nil {
		return nil, err
	}
	if err := bundle.WriteParams(f.Bundle, input); err != nil {
		return nil, err
	}
	socket := socketPath(params.GetSocketDir(), f.Address, f.Namespace, b.Group(f.ID))
	address := "unix://" + socket
	// By this file a delete finds the shim, and so does containerd 1.6 after a restart. It comes
	// first: this process may be killed at any time, and a shim that nobody finds stays.
	file := filepath.Join(f.Bundle, addressFile)
	if err := os.WriteFile(file, []byte(address), 0o600); err != nil {
		return nil, err
	}
	if err := connectOrSpawn(f, socket); err != nil {
		return nil, err
	}
	if params == nil {
		return []byte(address), nil
	}
	return proto.Marshal(&api.BootstrapResult{Version: 2, Address: address, Protocol: "ttrpc"})
}

const addressFile = "address"

// readParams returns the parameters that containerd from 2.3 on writes, or nil: an older one writes
// nothing, or options of the runtime, which can look like parameters but do not name the container.
func readParams(f *Flags, input []byte) *api.BootstrapParams {
	var p api.BootstrapParams
	if proto.Unmarshal(input, &p) != nil || p.InstanceID != f.ID || p.Namespace != f.Namespace {
		return nil
	}
	return &p
}

// connectOrSpawn makes sure that a shim serves at a socket, and that it waits for the container.
func connectOrSpawn(f *Flags, socket string) error {
	held, err := lock(socket)
	if err != nil {
		return err
	}
	defer held.Close()
	if conn, err := net.DialTimeout("unix", socket, dialTimeout); err == nil {
		client := ttrpc.NewClient(conn)
		defer client.Close()
		ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
		defer cancel()
		if err := task.Expect(ctx, client, f.ID); err != nil {
			return fmt.Errorf("the shim of the pod: %w", err)
		}
		return nil
	}
	listener, err := listen(socket)
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := spawn(f, listener); err != nil {
		os.Remove(socket)
		return err
	}
	return nil
}

// spawn starts the process that serves.
func spawn(f *Flags, listener *os.File) error {
	cmd := exec.Command("/proc/self/exe", "-namespace", f.Namespace, "-id", f.ID, "-address",
		f.Address, "-publish-binary", f.PublishBinary, "-bundle", f.Bundle, serve)
	cmd.Args[0] = os.Args[0]
	cmd.ExtraFiles = []*os.File{listener}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	for _, v := range os.Environ() {
		// containerd sets it for programs that do little.
		if !strings.HasPrefix(v, "GOMAXPROCS=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	adjustOOMScore(cmd.Process.Pid)
	return cmd.Process.Release()
}

// adjustOOMScore lets the kernel end a shim just before containerd, when memory is short. Where
// this process may not set it, the shim has containerd's own value.
func adjustOOMScore(pid int) {
	text, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		return
	}
	score, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || score == 1000 {
		return
	}
	os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte(strconv.Itoa(score+1)), 0)
}

// Info describes the runtime to containerd from 2.0 on.
func Info(version string) ([]byte, error) {
	return proto.Marshal(&types.RuntimeInfo{Name: Name,
		Version: &types.RuntimeVersion{Version: version}})
}
