// Package confine takes from the calling process the rights that a guest does not need: identity,
// capabilities and system calls.
//
// Everything holds for all threads of the process, since Go moves goroutines among them. Nothing
// here can be undone. Files and mounts do not belong here (package rootfs), nor does memory or
// processor time (package cgroup).
package confine

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"unsafe"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// usable are the capabilities with an effect on the imports of guests: on files of other users, and
// on ports below 1024. A guest that runs as root keeps those of them that the container
// has.
var usable = map[string]uint{
	"CAP_DAC_OVERRIDE":     unix.CAP_DAC_OVERRIDE,
	"CAP_FOWNER":           unix.CAP_FOWNER,
	"CAP_NET_BIND_SERVICE": unix.CAP_NET_BIND_SERVICE,
}

// Drop gives the process the user, groups, capabilities and limits of a container's process
// (rlimits, umask), and no way to gain privileges (no_new_privs, prctl(2)).
func Drop(p *specs.Process) error {
	for _, r := range p.Rlimits {
		resource, ok := rlimits[r.Type]
		if !ok {
			return fmt.Errorf("rlimit %q is not known", r.Type)
		}
		// The call of package syscall, so that Go does not set its own limit of open files again.
		err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: r.Soft, Max: r.Hard})
		if err != nil {
			return fmt.Errorf("rlimit %s: %w", r.Type, err)
		}
	}
	mask := 0o022
	if p.User.Umask != nil {
		mask = int(*p.User.Umask)
	}
	syscall.Umask(mask)
	var groups []int
	for _, g := range p.User.AdditionalGids {
		groups = append(groups, int(g))
	}
	if err := syscall.Setgroups(groups); err != nil {
		return fmt.Errorf("groups %v: %w", groups, err)
	}
	gid, uid := int(p.User.GID), int(p.User.UID)
	if err := syscall.Setresgid(gid, gid, gid); err != nil {
		return fmt.Errorf("group %d: %w", gid, err)
	}
	if err := syscall.Setresuid(uid, uid, uid); err != nil {
		return fmt.Errorf("user %d: %w", uid, err)
	}
	if err := setCapabilities(p); err != nil {
		return fmt.Errorf("capabilities: %w", err)
	}
	return onAllThreads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0)
}

// setCapabilities keeps the usable capabilities of a process of root. Those of another user ended
// with the change of the user (capabilities(7)).
func setCapabilities(p *specs.Process) error {
	var keep uint64
	if p.User.UID == 0 && p.Capabilities != nil {
		for name, bit := range usable {
			if slices.Contains(p.Capabilities.Effective, name) {
				keep |= 1 << bit
			}
		}
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := [2]unix.CapUserData{
		{Effective: uint32(keep), Permitted: uint32(keep)},
		{Effective: uint32(keep >> 32), Permitted: uint32(keep >> 32)},
	}
	err := onAllThreads(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)),
		uintptr(unsafe.Pointer(&data)), 0)
	runtime.KeepAlive(&header)
	runtime.KeepAlive(&data)
	return err
}

// onAllThreads makes a system call in each thread. It fails with ENOTSUP in a program with cgo.
func onAllThreads(trap, a1, a2, a3 uintptr) error {
	if _, _, errno := syscall.AllThreadsSyscall(trap, a1, a2, a3); errno != 0 {
		if errno == syscall.ENOTSUP {
			return fmt.Errorf("this program was built with cgo; build it with CGO_ENABLED=0")
		}
		return errno
	}
	return nil
}

// rlimits are the resources of getrlimit(2).
var rlimits = map[string]int{
	"RLIMIT_AS": unix.RLIMIT_AS, "RLIMIT_CORE": unix.RLIMIT_CORE, "RLIMIT_CPU": unix.RLIMIT_CPU,
	"RLIMIT_DATA": unix.RLIMIT_DATA, "RLIMIT_FSIZE": unix.RLIMIT_FSIZE,
	"RLIMIT_LOCKS": unix.RLIMIT_LOCKS, "RLIMIT_MEMLOCK": unix.RLIMIT_MEMLOCK,
	"RLIMIT_MSGQUEUE": unix.RLIMIT_MSGQUEUE, "RLIMIT_NICE": unix.RLIMIT_NICE,
	"RLIMIT_NOFILE": unix.RLIMIT_NOFILE, "RLIMIT_NPROC": unix.RLIMIT_NPROC,
	"RLIMIT_RSS": unix.RLIMIT_RSS, "RLIMIT_RTPRIO": unix.RLIMIT_RTPRIO,
	"RLIMIT_RTTIME": unix.RLIMIT_RTTIME, "RLIMIT_SIGPENDING": unix.RLIMIT_SIGPENDING,
	"RLIMIT_STACK": unix.RLIMIT_STACK,
}
