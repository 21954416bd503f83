package peers

import (
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/internal/testutil"
)

// plugins is where Debian has the network plugins.
const plugins = "/usr/lib/cni"

// bridge is the network of pods: a bridge in the network namespace of the tests, which stands for
// that of a node, with the first address of the network. The plugin host-local remembers addresses
// below /run, which is a tmpfs of the tests.
const bridge = `{
	"cniVersion": "0.4.0", "name": "pods", "type": "bridge", "bridge": "pods0", "isGateway": true,
	"ipam": {"type": "host-local", "dataDir": "/run/addresses",
		"ranges": [[{"subnet": "10.88.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]}
}`

var count atomic.Int32

// counter returns another number each time.
func counter() int { return int(count.Add(1)) }

// pod makes a network namespace with an address in the network of pods, as the CRI does, and
// returns its path and the address.
func (n *node) pod() (path string, address netip.Addr) {
	n.Helper()
	path = n.path("net-" + strconv.Itoa(counter()))
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		n.Fatal(err)
	}
	// The bind mount keeps the namespace when the process ends.
	cmd := exec.Command("unshare", "--net="+path, "true")
	if out, err := cmd.CombinedOutput(); err != nil {
		n.Fatalf("%v: %s", err, out)
	}
	n.Cleanup(func() { unix.Unmount(path, unix.MNT_DETACH) })
	out := n.plugin("ADD", path)
	var result struct {
		IPs []struct{ Address netip.Prefix }
	}
	if err := json.Unmarshal(out, &result); err != nil || len(result.IPs) != 1 {
		n.Fatalf("got %v and %s, want an address", err, out)
	}
	return path, result.IPs[0].Address.Addr()
}

// plugin runs the network plugin (CNI specification, section 2).
func (n *node) plugin(command, path string) []byte {
	n.Helper()
	cmd := exec.Command(filepath.Join(plugins, "bridge"))
	cmd.Env = []string{"CNI_COMMAND=" + command, "CNI_CONTAINERID=" + filepath.Base(path),
		"CNI_NETNS=" + path, "CNI_IFNAME=eth0", "CNI_PATH=" + plugins}
	cmd.Stdin = strings.NewReader(bridge)
	out, err := cmd.Output()
	if err != nil {
		n.Fatalf("%v: %s", err, out)
	}
	return out
}

// echoes connects to a server from outside of its pod, and checks that it sends back a text. The
// first packets to a new address of the bridge may take a second.
func (n *node) echoes(at netip.AddrPort) {
	n.Helper()
	n.until(at.String()+" echoes", func() error {
		c, err := net.DialTimeout("tcp", at.String(), patience)
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Write([]byte("ping")); err != nil {
			return err
		}
		var got [4]byte
		if _, err := c.Read(got[:]); err != nil {
			return err
		}
		if string(got[:]) != "ping" {
			n.Fatalf("got %q back, want ping", got)
		}
		return nil
	})
}

// loopback brings up the loopback interface of the tests' network namespace.
func loopback(t testing.TB) { testutil.BringUp(t, "lo") }
