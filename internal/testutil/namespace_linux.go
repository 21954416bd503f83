package testutil

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// namespaceTest is the environment variable with the name of the test that a child process runs.
const namespaceTest = "WASPORT_NAMESPACE_TEST"

// InNamespaces runs the body of a test in new namespaces, of the kinds in flags (CLONE_NEWNET and
// others, namespaces(7)): it runs the test again in a child process, with env added to the
// environment, and there calls body. It takes root, or a system that lets other users make
// namespaces (user_namespaces(7)); elsewhere the test is skipped, or fails with WASPORT_CI=1. A
// test calls it once, and leaves everything to body.
func InNamespaces(t *testing.T, flags uintptr, env []string, body func(*testing.T)) {
	t.Helper()
	if os.Getenv(namespaceTest) == t.Name() {
		body(t)
		return
	}
	pattern := "^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$"
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run="+pattern, "-test.v")
	cmd.Env = append(append(os.Environ(), env...), namespaceTest+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		t.Logf("%s", out)
	case len(out) > 0: // The child has started.
		t.Errorf("got %v, want the test to pass in its namespaces\n%s", err, out)
	case os.Getenv("WASPORT_CI") == "1":
		t.Fatal(err)
	default:
		t.Skipf("namespaces take root, or a system that lets other users make them: %v", err)
	}
}

// BringUp brings a network interface up (SIOCSIFFLAGS, netdevice(7)).
func BringUp(t testing.TB, name string) {
	t.Helper()
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(s)
	request, err := unix.NewIfreq(name)
	if err != nil {
		t.Fatal(err)
	}
	request.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, request); err != nil {
		t.Fatal(err)
	}
}
