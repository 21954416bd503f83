package peers

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The life of a pod as a kubelet drives it.
func TestPod(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		n.loadPause()
		before := n.census()
		p := n.sandbox(map[string]string{"wasport.dev/policy": mayListen})
		server := moduleImage(t, "wasport.test/echo:1", readModule(t, echoServer))
		m := p.start(server, object{"args": []string{"0.0.0.0", "2"}})
		at := netip.AddrPortFrom(p.address, n.listening(m.log))
		n.echoes(at)
		node := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), at.Port())
		if c, err := net.Dial("tcp", node.String()); err == nil {
			c.Close()
			t.Errorf("got a connection to %v of the node, want the guest in its pod alone", node)
		}
		if out := n.crictl("logs", m.id); !strings.HasPrefix(out, "listening 0.0.0.0") {
			t.Errorf("got the log %q, want listening 0.0.0.0", out)
		}
		var stats struct {
			Stats []struct {
				CPU    struct{ UsageCoreNanoSeconds struct{ Value string } }
				Memory struct{ WorkingSetBytes struct{ Value string } }
			}
		}
		n.inspect(&stats, "stats", "--id", m.id)
		if len(stats.Stats) != 1 || len(stats.Stats[0].CPU.UsageCoreNanoSeconds.Value) < 6 ||
			len(stats.Stats[0].Memory.WorkingSetBytes.Value) < 6 {
			t.Errorf("got %+v, want a millisecond of a processor and some 100 kB of memory", stats)
		}
		if _, err := n.tryCrictl("exec", m.id, "/bin/sh"); err == nil ||
			!strings.Contains(err.Error(), "exec is not supported") {
			t.Errorf("got %v from exec, want a refusal", err)
		}
		n.crictl("stop", "--timeout", "30", m.id)
		if got := m.exited().Status.ExitCode; got != 143 {
			t.Errorf("got exit status %d, want 143", got)
		}
		n.crictl("rm", m.id)
		n.crictl("stopp", p.id)
		n.crictl("rmp", p.id)
		n.nothingLeft(before)
	})
}

// A program that is no module runs under runc, beside a guest of the same pod.
func TestSideCar(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		n.loadPause()
		before := n.census()
		p := n.sandbox(nil)
		guest := p.start(moduleImage(t, "wasport.test/waiting:1", readModule(t, waiting)), nil)
		car := p.start(native(t, "hello"), nil)
		if got := car.exited().Status.ExitCode; got != 0 {
			t.Errorf("got exit status %d of the side-car, want 0", got)
		}
		n.waitForLine(car.log, "hello")
		n.waitForLine(guest.log, "waiting")
		n.crictl("rmp", "--force", p.id)
		n.nothingLeft(before)
	})
}

// A pod with a pause container that has lost its shim can be stopped and removed.
func TestEndOfRuncShim(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		n.loadPause()
		before := n.census()
		p := n.sandbox(nil)
		guest := p.start(moduleImage(t, "wasport.test/waiting:1", readModule(t, waiting)), nil)
		n.waitForLine(guest.log, "waiting")
		for _, shim := range shims(n) {
			if !strings.Contains(shim, "containerd-shim-runc-v2 ") {
				continue
			}
			pid, err := strconv.Atoi(strings.Split(shim, "/")[2])
			if err == nil {
				err = unix.Kill(pid, unix.SIGKILL)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		n.crictl("stopp", p.id)
		n.crictl("rmp", "--force", p.id)
		n.nothingLeft(before)
	})
}

func TestRestartUnderPod(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		n.loadPause()
		before := n.census()
		p := n.sandbox(map[string]string{"wasport.dev/policy": mayListen})
		server := moduleImage(t, "wasport.test/echo:1", readModule(t, echoServer))
		m := p.start(server, object{"args": []string{"0.0.0.0", "2"}})
		at := netip.AddrPortFrom(p.address, n.listening(m.log))
		n.kill()
		n.echoes(at)
		n.start()
		n.until("the CRI answers", func() error {
			_, err := n.tryCrictl("info")
			return err
		})
		n.echoes(at)
		if got := m.exited().Status.ExitCode; got != 0 {
			t.Errorf("got exit status %d, want 0", got)
		}
		n.crictl("rmp", "--force", p.id)
		n.nothingLeft(before)
	})
}

// The kernel ends a guest that takes more than the limit, and the CRI says so.
func TestOutOfMemory(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		p := n.sandbox(nil)
		const hog = "contrib/containerd/peers/testdata/hog.wasm"
		m := p.start(moduleImage(t, "wasport.test/hog:1", readModule(t, hog)), object{
			"linux": object{"resources": object{"memory_limit_in_bytes": 64 << 20}}})
		s := m.exited()
		if s.Status.Reason != "OOMKilled" || s.Status.ExitCode != 137 {
			t.Errorf("got %+v, want OOMKilled and exit status 137; the log is %q", s, n.read(m.log))
		}
	})
}

// An image in the form of artifacts has no file system and no entry point: the pod says a command.
func TestArtifact(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		p := n.sandbox(nil)
		module := readModule(t, "cmd/wasport/testdata/module/hello.wasm")
		i := image{name: "wasport.test/artifact:1", artifact: true, layers: [][]byte{module}}
		m := p.start(i, object{"command": []string{"/hello.wasm"}})
		m.exited()
		n.waitForLine(m.log, "hello")
	})
}
