package gramine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// listenerSocket is the descriptor by which the filtered process passes on the filter's listener.
const listenerSocket = 3

// Enter does nothing unless Variable is "gramine". Then it runs the program a second time, under
// the filter, and answers the calls that the filter cannot decide. It exits with the status of that
// process. In the second process Enter installs the filter and returns. TestMain calls it first.
func Enter() {
	var err error
	status := 1
	switch value := os.Getenv(Variable); value {
	case "", installed:
		return
	case installs:
		if err = install(); err == nil {
			os.Setenv(Variable, installed)
			return
		}
	case wanted:
		status, err = runInside()
	default:
		err = fmt.Errorf("got %q, want %q", value, wanted)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", Variable, err)
	}
	os.Exit(status)
}

// install installs the filter for all threads and passes its listener to the parent.
func install() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Without privileges seccomp(2) wants this. All threads get it with the filter.
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	code := filter()
	prog := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	// waitKillable is SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (Linux 5.19). Without it, the signals
	// by which Go's scheduler preempts would make the supervisor judge a call twice.
	const waitKillable = 1 << 5
	listener, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC|unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH|
			unix.SECCOMP_FILTER_FLAG_NEW_LISTENER|waitKillable, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	defer unix.Close(int(listener))
	defer unix.Close(listenerSocket)
	return unix.Sendmsg(listenerSocket, []byte{0}, unix.UnixRights(int(listener)), nil, 0)
}

// runInside runs the program under the filter and returns its exit status.
func runInside() (status int, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 1, err
	}
	defer unix.Close(pair[0])
	theirs := os.NewFile(uintptr(pair[1]), "listener")
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), Variable+"="+installs)
	cmd.ExtraFiles = []*os.File{theirs}
	// The signal comes when the thread ends that has started the process.
	runtime.LockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	theirs.Close()
	if listener, err := receiveListener(pair[0]); err == nil {
		go supervise(listener)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}

func receiveListener(socket int) (int, error) {
	control := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, make([]byte, 1), control, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return -1, err
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil {
		return -1, err
	}
	if len(messages) != 1 {
		return -1, errors.New("the filtered process has ended")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return -1, err
	}
	return fds[0], nil
}
