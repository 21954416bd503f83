package confine

import (
	"fmt"
	"runtime"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// allowed are the system calls of Go's runtime, of its poller and resolver, and of wasport's files
// and sockets. Everything else is EPERM: no program can be run, no process looked at, no mount,
// namespace, module or key touched. Names that a processor lacks are left out.
var allowed = []string{
	// Memory and threads of Go's runtime.
	"mmap", "munmap", "mremap", "madvise", "mprotect", "mincore", "brk", "futex", "gettid",
	"sched_yield", "sched_getaffinity", "sigaltstack", "rt_sigaction", "rt_sigprocmask",
	"rt_sigreturn", "tgkill", "set_robust_list", "rseq", "restart_syscall", "exit", "exit_group",
	"getpid", "arch_prctl", "timer_create", "timer_settime", "timer_delete", "setitimer",
	"set_tid_address",
	// Time and chance.
	"clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "getrandom",
	"getrusage", "times",
	// The poller.
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2", "pipe2",
	"poll", "ppoll", "pselect6", "timerfd_create", "timerfd_settime", "timerfd_gettime",
	// Files beneath the root.
	"read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2",
	"pwritev2", "lseek", "openat", "openat2", "close", "close_range", "fstat", "newfstatat",
	"statx", "stat", "lstat", "fstatfs", "statfs", "faccessat", "faccessat2", "getdents64",
	"readlinkat", "mkdirat", "unlinkat", "renameat", "renameat2", "linkat", "symlinkat",
	"ftruncate", "fallocate", "fsync", "fdatasync", "sync_file_range", "fadvise64", "utimensat",
	"fchmod", "fchmodat", "getcwd", "fcntl", "dup", "dup3", "copy_file_range", "sendfile",
	"splice", "flock",
	// Sockets, but for making them.
	"bind", "connect", "listen", "accept4", "getsockname", "getpeername", "sendto", "recvfrom",
	"sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "shutdown", "setsockopt", "getsockopt",
	// Identity, which cannot change any more.
	"getuid", "geteuid", "getgid", "getegid", "getppid", "uname", "prlimit64", "getrlimit",
	"sysinfo",
}

// Filter lets the process make no system call but those of Go's runtime and of wasport's files and
// sockets, for the rest of its life (seccomp(2)).
func Filter() error {
	info, err := arch.GetInfo("")
	if err != nil {
		return fmt.Errorf("seccomp on this processor: %w", err)
	}
	policy := filterPolicy(func(name string) bool {
		_, ok := info.SyscallNames[name]
		return ok
	})
	// The filter is of the calling thread until it is given to the others.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return seccomp.LoadFilter(seccomp.Filter{NoNewPrivs: true, Flag: seccomp.FilterFlagTSync,
		Policy: policy})
}

// filterPolicy is the filter for a processor with these system calls.
func filterPolicy(has func(string) bool) seccomp.Policy {
	group := seccomp.SyscallGroup{Action: seccomp.ActionAllow}
	for _, name := range allowed {
		if has(name) {
			group.Names = append(group.Names, name)
		}
	}
	where := func(name string, conditions ...seccomp.Condition) {
		if has(name) {
			group.NamesWithCondtions = append(group.NamesWithCondtions,
				seccomp.NameWithConditions{Name: name, Conditions: conditions})
		}
	}
	equal := func(argument uint32, value uint64) seccomp.Condition {
		return seccomp.Condition{Argument: argument, Operation: seccomp.Equal, Value: value}
	}
	// A thread, never a process.
	where("clone", seccomp.Condition{Argument: 0, Operation: seccomp.BitsSet,
		Value: unix.CLONE_THREAD})
	// TCP, UDP, and the list of interfaces (rtnetlink(7)). No raw sockets, and no Unix-domain
	// sockets: their names lead to other processes of the pod's network namespace.
	for _, flags := range []uint64{0, unix.SOCK_CLOEXEC, unix.SOCK_NONBLOCK,
		unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK} {
		for _, family := range []uint64{unix.AF_INET, unix.AF_INET6} {
			where("socket", equal(0, family), equal(1, unix.SOCK_STREAM|flags))
			where("socket", equal(0, family), equal(1, unix.SOCK_DGRAM|flags))
		}
		where("socket", equal(0, unix.AF_NETLINK), equal(1, unix.SOCK_RAW|flags),
			equal(2, unix.NETLINK_ROUTE))
	}
	// The lengths of queues and, for Go's net package, names of interfaces (netdevice(7)).
	for _, request := range []uint64{unix.SIOCINQ, unix.SIOCOUTQ, unix.SIOCGIFNAME,
		unix.SIOCGIFINDEX, unix.TCGETS, unix.TIOCGWINSZ} {
		where("ioctl", equal(1, request))
	}
	return seccomp.Policy{DefaultAction: seccomp.ActionErrno,
		Syscalls: []seccomp.SyscallGroup{group}}
}
