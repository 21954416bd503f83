// Package cgroup makes, reads and removes the control group of a container, of version 1 or 2, and
// starts processes in it.
//
// A process must be in the group from its first instruction on: memory that it touches earlier is
// charged elsewhere, for ever. The limits that the guest itself sees (wasport.Config.MaxMemory) do
// not belong here. A Group may be used from several goroutines.
package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/containerd/cgroups/v3"
	"github.com/containerd/cgroups/v3/cgroup1"
	"github.com/containerd/cgroups/v3/cgroup2"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// mountPoint is where systemd and distributions mount the hierarchies (cgroups(7)).
const mountPoint = "/sys/fs/cgroup"

// Group is a control group: v1 or v2 is set.
type Group struct {
	path string
	v1   cgroup1.Cgroup
	v2   *cgroup2.Manager
}

// Path returns the path of a container's group beneath the mount point. The specification has a
// path or, from a kubelet that uses systemd, "slice:prefix:name" (OCI runtime specification,
// config-linux.md; runc's libcontainer). Without one it is named after the container.
func Path(spec *specs.Spec, namespace, id string) (string, error) {
	given := ""
	if spec.Linux != nil {
		given = spec.Linux.CgroupsPath
	}
	if given == "" {
		given = "/" + namespace + "/" + id
	}
	if parts := strings.Split(given, ":"); len(parts) == 3 {
		given = expandSlice(parts[0]) + "/" + parts[1] + "-" + parts[2] + ".scope"
	}
	clean := filepath.Clean("/" + given)
	if clean == "/" {
		return "", fmt.Errorf("the cgroup of the container is the root")
	}
	return clean, nil
}

// expandSlice returns the path of a slice: a-b.slice is beneath a.slice (systemd.slice(5)).
func expandSlice(slice string) string {
	name := strings.TrimSuffix(slice, ".slice")
	path, prefix := "", ""
	for part := range strings.SplitSeq(name, "-") {
		prefix += part
		path += "/" + prefix + ".slice"
		prefix += "-"
	}
	return path
}

// Create makes a group with limits.
func Create(path string, limits *specs.LinuxResources) (*Group, error) {
	if limits == nil {
		limits = &specs.LinuxResources{}
	}
	g := &Group{path: path}
	var err error
	if cgroups.Mode() == cgroups.Unified {
		g.v2, err = cgroup2.NewManager(mountPoint, path, cgroup2.ToResources(limits))
	} else {
		g.v1, err = cgroup1.New(cgroup1.StaticPath(path), limits)
	}
	if err != nil {
		return nil, fmt.Errorf("make the cgroup %s: %w", path, err)
	}
	return g, nil
}

// Load finds a group that exists. The error is fs.ErrNotExist if there is none.
func Load(path string) (*Group, error) {
	g := &Group{path: path}
	var err error
	if cgroups.Mode() == cgroups.Unified {
		if _, err = os.Stat(mountPoint + path); err == nil {
			g.v2, err = cgroup2.Load(path)
		}
	} else {
		g.v1, err = cgroup1.Load(cgroup1.StaticPath(path))
		if errors.Is(err, cgroup1.ErrCgroupDeleted) {
			err = fs.ErrNotExist
		}
	}
	if err != nil {
		return nil, err
	}
	return g, nil
}

// Place arranges that a command is started in the group, by the calling thread. The goroutine must
// have locked its thread and never unlock it, since the thread itself may now be in the group.
func (g *Group) Place(cmd *exec.Cmd) (release func(), err error) {
	if g.v1 != nil {
		return func() {}, g.v1.AddTask(cgroup1.Process{Pid: unix.Gettid()})
	}
	dir, err := os.Open(mountPoint + g.path)
	if err != nil {
		return nil, err
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(dir.Fd())
	return func() { dir.Close() }, nil
}

// Update changes the limits.
func (g *Group) Update(limits *specs.LinuxResources) error {
	if g.v1 != nil {
		return g.v1.Update(limits)
	}
	return g.v2.Update(cgroup2.ToResources(limits))
}

// Stats returns the figures of the group: *stats.Metrics of cgroup1 or cgroup2. containerd and its
// clients know these types.
func (g *Group) Stats() (any, error) {
	if g.v1 != nil {
		return g.v1.Stat(cgroup1.IgnoreNotExist)
	}
	return g.v2.Stat()
}

// OOMKills counts the processes of the group that the kernel killed since the group was out of
// memory.
func (g *Group) OOMKills() uint64 {
	file := filepath.Join(mountPoint, g.path, "memory.events")
	if g.v1 != nil {
		file = filepath.Join(mountPoint, "memory", g.path, "memory.oom_control")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "oom_kill "); ok {
			count, _ := strconv.ParseUint(strings.TrimSpace(n), 10, 64)
			return count
		}
	}
	return 0
}

// Kill kills every process of the group.
func (g *Group) Kill() error {
	if g.v2 != nil {
		return g.v2.Kill()
	}
	for _, s := range g.v1.Subsystems() {
		list, err := g.v1.Processes(s.Name(), true)
		if err != nil {
			continue
		}
		for _, p := range list {
			if err := unix.Kill(p.Pid, unix.SIGKILL); err != nil && err != unix.ESRCH {
				return err
			}
		}
		return nil
	}
	return nil
}

// Delete removes the group, which must be empty.
func (g *Group) Delete() error {
	var err error
	if g.v1 != nil {
		err = g.v1.Delete()
	} else {
		err = g.v2.Delete()
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
