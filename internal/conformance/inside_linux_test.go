package conformance

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/dnstest"
)

// TestProgramsInNamespacePrintAsNative runs the programs of the folder inside with files in /etc of
// its own and without other hosts, in new namespaces. That takes root, or a system that lets other
// users make namespaces (user_namespaces(7)).
func TestProgramsInNamespacePrintAsNative(t *testing.T) {
	if os.Getenv("WASPORT_INSIDE") == "1" {
		runInNamespace(t)
		return
	}
	newBuilder(t)
	cmd := exec.CommandContext(
		t.Context(),
		"/proc/self/exe",
		"-test.run=^TestProgramsInNamespacePrintAsNative$",
		"-test.v",
	)
	cmd.Env = append(os.Environ(), "WASPORT_INSIDE=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil && len(out) == 0 { // so it never began
		if os.Getenv("WASPORT_CI") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func runInNamespace(t *testing.T) {
	bringUp(t, "lo")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"resolv.conf":   "nameserver 127.0.0.1\n",
		"hosts":         "127.0.0.9 local.test\n",
		"nsswitch.conf": "hosts: files dns\n",
	} {
		file := filepath.Join(dir, name)
		err := os.WriteFile(file, []byte(text), 0o644)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		if err == nil {
			err = unix.Mount(file, "/etc/"+name, "", unix.MS_BIND, "")
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	dns, err := dnstest.StartAt(netip.MustParseAddrPort("127.0.0.1:53"))
	if err != nil {
		t.Fatal(err)
	}
	defer dns.Close()
	dns.Set("both.test", dnstest.Addrs("127.0.0.2", "::1"))
	dns.Set("four.test", dnstest.Addrs("127.0.0.3"))
	dns.Set("six.test", dnstest.Addrs("::1"))
	dns.Set("many.test", dnstest.Addrs("192.0.2.1", "127.0.0.4", "::1"))
	dns.Set("alias.test", dnstest.Answer{CNAME: "both.test"})
	dns.Set("chain.test", dnstest.Answer{CNAME: "alias.test"})
	dns.Set("failing.test", dnstest.Answer{Code: dnsmessage.RCodeServerFailure})

	b := newBuilder(t)
	rt, err := wasport.NewRuntime(t.Context(), wasport.RuntimeConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close(t.Context())
	sources, err := filepath.Glob("inside/*.c")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		name := strings.TrimSuffix(filepath.Base(source), ".c")
		args := []string{name, "4", "0", "0", "0"}
		comparePrinted(t, runModule(t, rt, b.buildModule(t, source), args),
			runNative(t, b.buildNative(t, source), args))
	}
}

// bringUp brings an interface up (netdevice(7)).
func bringUp(t *testing.T, name string) {
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
