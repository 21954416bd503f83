package confine

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/testutil"
)

// inProcess runs a test in a process of its own, which it confines.
func inProcess(t *testing.T, test func(*testing.T)) {
	if withCgo {
		needs.Missing(t, errors.New("a program without cgo: CGO_ENABLED=0 go test"))
	}
	testutil.InNamespaces(t, 0, nil, test)
}

func TestDrop(t *testing.T) {
	if os.Getuid() != 0 {
		needs.Missing(t, errors.New("other users take root"))
	}
	all := make([]string, 0, len(usable)+1)
	for name := range usable {
		all = append(all, name)
	}
	all = append(all, "CAP_SYS_ADMIN", "CAP_NET_RAW")
	umask := uint32(0o077)
	for _, row := range []struct {
		name string
		user specs.User
		caps []string
		want []string // lines of /proc/self/status
	}{
		{"image's user", specs.User{UID: 1234, GID: 99, AdditionalGids: []uint32{7, 8},
			Umask: &umask}, all, []string{"Uid:\t1234\t1234\t1234\t1234",
			"Gid:\t99\t99\t99\t99", "Groups:\t7 8", "CapPrm:\t0000000000000000",
			"CapEff:\t0000000000000000", "CapInh:\t0000000000000000", "NoNewPrivs:\t1",
			"Umask:\t0077"}},
		{"root", specs.User{}, all, []string{"Uid:\t0\t0\t0\t0", "Groups:\t",
			"CapPrm:\t000000000000040a", "CapEff:\t000000000000040a", "NoNewPrivs:\t1",
			"Umask:\t0022"}},
		{"root with nothing", specs.User{}, nil, []string{"Uid:\t0\t0\t0\t0",
			"CapPrm:\t0000000000000000", "CapEff:\t0000000000000000"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			inProcess(t, func(t *testing.T) {
				startThreads(4)
				p := &specs.Process{User: row.user,
					Capabilities: &specs.LinuxCapabilities{Effective: row.caps},
					Rlimits: []specs.POSIXRlimit{
						{Type: "RLIMIT_NOFILE", Soft: 100, Hard: 200}}}
				if err := Drop(p); err != nil {
					t.Fatal(err)
				}
				eachThread(t, func(status string) {
					for _, line := range row.want {
						if !strings.Contains(status, "\n"+line) {
							t.Errorf("got no %q, want it in\n%s", line, status)
						}
					}
				})
				var limit syscall.Rlimit
				if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); limit.Max != 200 {
					t.Errorf("got a limit of %d files, want 200", limit.Max)
				}
			})
		})
	}
}

// startThreads makes sure that the process has threads that already exist when it is confined.
func startThreads(n int) {
	ready := make(chan struct{})
	for range n {
		go func() {
			runtime.LockOSThread()
			ready <- struct{}{}
			select {}
		}()
		<-ready
	}
}

// eachThread calls a function with proc_pid_status(5) of each thread.
func eachThread(t *testing.T, f func(status string)) {
	t.Helper()
	names, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(names) < 4 {
		t.Fatalf("got %q, %v, want the threads", names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f(string(text))
	}
}

func TestFilterRefuses(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		startThreads(4)
		if err := Filter(); err != nil {
			t.Fatal(err)
		}
		eachThread(t, func(status string) {
			if !strings.Contains(status, "\nSeccomp:\t2") {
				t.Errorf("got\n%s\nwant a thread under a filter", status)
			}
		})
		for _, row := range []struct {
			name string
			trap uintptr
			args [3]uintptr
		}{
			{"execve", unix.SYS_EXECVE, [3]uintptr{}}, {"ptrace", unix.SYS_PTRACE, [3]uintptr{}},
			{"mount", unix.SYS_MOUNT, [3]uintptr{}}, {"umount", unix.SYS_UMOUNT2, [3]uintptr{}},
			{"pivot_root", unix.SYS_PIVOT_ROOT, [3]uintptr{}},
			{"chroot", unix.SYS_CHROOT, [3]uintptr{}}, {"setns", unix.SYS_SETNS, [3]uintptr{}},
			{"unshare", unix.SYS_UNSHARE, [3]uintptr{}}, {"bpf", unix.SYS_BPF, [3]uintptr{}},
			{"fork", unix.SYS_CLONE, [3]uintptr{uintptr(unix.SIGCHLD)}},
			{"new namespace", unix.SYS_CLONE, [3]uintptr{unix.CLONE_NEWUSER}},
			{"clone3", unix.SYS_CLONE3, [3]uintptr{}}, {"kill", unix.SYS_KILL, [3]uintptr{1, 0}},
			{"mknod", unix.SYS_MKNODAT, [3]uintptr{}}, {"keyctl", unix.SYS_KEYCTL, [3]uintptr{}},
			{"init_module", unix.SYS_INIT_MODULE, [3]uintptr{}},
			{"open_by_handle_at", unix.SYS_OPEN_BY_HANDLE_AT, [3]uintptr{}},
			{"process_vm_readv", unix.SYS_PROCESS_VM_READV, [3]uintptr{}},
			{"io_uring_setup", unix.SYS_IO_URING_SETUP, [3]uintptr{}},
			{"userfaultfd", unix.SYS_USERFAULTFD, [3]uintptr{}},
			{"perf_event_open", unix.SYS_PERF_EVENT_OPEN, [3]uintptr{}},
			{"setuid", unix.SYS_SETUID, [3]uintptr{}}, {"capset", unix.SYS_CAPSET, [3]uintptr{}},
			{"sethostname", unix.SYS_SETHOSTNAME, [3]uintptr{}},
			{"prctl", unix.SYS_PRCTL, [3]uintptr{unix.PR_SET_DUMPABLE, 1}},
			{"move_mount", unix.SYS_MOVE_MOUNT, [3]uintptr{}},
			{"Unix-domain socket", unix.SYS_SOCKET, [3]uintptr{unix.AF_UNIX, unix.SOCK_STREAM}},
			{"raw socket", unix.SYS_SOCKET, [3]uintptr{unix.AF_INET, unix.SOCK_RAW, 1}},
			{"packet socket", unix.SYS_SOCKET, [3]uintptr{unix.AF_PACKET, unix.SOCK_DGRAM}},
			{"vsock", unix.SYS_SOCKET, [3]uintptr{unix.AF_VSOCK, unix.SOCK_STREAM}},
			{"audit netlink", unix.SYS_SOCKET,
				[3]uintptr{unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_AUDIT}},
			{"TIOCSTI", unix.SYS_IOCTL, [3]uintptr{0, unix.TIOCSTI}},
			{"interface up", unix.SYS_IOCTL, [3]uintptr{0, unix.SIOCSIFFLAGS}},
		} {
			if _, _, got := unix.Syscall(row.trap, row.args[0], row.args[1], row.args[2]); got !=
				unix.EPERM {
				t.Errorf("%s: got %v, want EPERM", row.name, got)
			}
		}
	})
}

// TestFilterLeavesWhatGuestsUse makes new threads, connections, a list of interfaces and files.
func TestFilterLeavesWhatGuestsUse(t *testing.T) {
	inProcess(t, func(t *testing.T) {
		dir := t.TempDir()
		if err := Filter(); err != nil {
			t.Fatal(err)
		}
		startThreads(4)
		for _, network := range []string{"tcp", "udp"} {
			if err := exchange(network); err != nil {
				t.Errorf("%s: got %v, want an exchange", network, err)
			}
		}
		if list, err := net.Interfaces(); err != nil || len(list) == 0 {
			t.Errorf("got interfaces %v, %v, want some", list, err)
		}
		if _, err := net.LookupHost("localhost"); err != nil {
			t.Errorf("got %v for localhost, want an address", err)
		}
		file := filepath.Join(dir, "file")
		err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), os.Rename(file, file+"2"),
			os.Symlink("file2", file), os.Mkdir(filepath.Join(dir, "d"), 0o700))
		if err != nil {
			t.Errorf("got %v for files, want none", err)
		}
	})
}

// exchange sends a datagram or opens a connection over loopback.
func exchange(network string) error {
	if network == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.WriteTo([]byte("x"), c.LocalAddr())
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	return c.Close()
}
