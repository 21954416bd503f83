package peers

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

const (
	echoServer = "internal/guests/poll_echo.wasm"
	computing  = "internal/guests/spin.wasm"
	waiting    = "cmd/wasport/testdata/module/sleep.wasm"
	threads    = "contrib/containerd/peers/testdata/threads.wasm"
)

const mayListen = `allow = ["listen tcp://0.0.0.0"]`

// guest is the image of a module of this repository, loaded into a node.
func (n *node) guest(module string) image {
	n.Helper()
	i := moduleImage(n, "wasport.test/guest:"+fmt.Sprint(counter()), readModule(n, module))
	n.load(namespace, i)
	return i
}

// host lets a container join the network namespace of the tests.
var host = []string{"--net-host"}

func TestEchoServerInPodNetwork(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		before := n.census()
		network, address := n.pod()
		c := n.begin(spec{image: n.guest(echoServer), policy: mayListen,
			flags: []string{"--with-ns", "network:" + network},
			args:  []string{"/guest.wasm", "0.0.0.0", "1"}})
		n.echoes(netip.AddrPortFrom(address, n.listening(c.out)))
		if got := c.ended(); got != 0 {
			t.Errorf("got exit status %d, want 0; it has printed %q", got, c.output())
		}
		n.nothingLeft(before)
	})
}

func TestRefusedConnection(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		const client = "internal/guests/tcp_client.wasm"
		i := n.guest(client)
		for _, row := range []struct{ name, policy, port, want string }{
			{"no policy", "", "9", "denied connect tcp 10.88.0.1:9: no rule allows connect"},
			{"another port", `allow = ["connect tcp://@pods:80"]`, "9",
				"denied connect tcp 10.88.0.1:9: "},
			{"the ceiling", `allow = ["connect any"]`, "25", "denied connect tcp 10.88.0.1:25: "},
		} {
			out, err := n.run(spec{image: i, flags: host, policy: row.policy,
				args: []string{"/guest.wasm", "10.88.0.1", row.port, "x"}})
			if exitStatus(err) != 1 || !strings.Contains(out, row.want) ||
				!strings.Contains(out, "FAIL connect errno=2 EACCES") {
				t.Errorf("%s: got %v and\n%s\nwant EACCES and %q", row.name, err, out, row.want)
			}
		}
	})
}

func TestKill(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		for _, row := range []struct{ name, module, ready string }{
			{"computing", computing, "spinning"},
			{"waiting", waiting, "waiting"},
			{"a hundred threads", threads, "waiting"},
		} {
			i := n.guest(row.module)
			for signal, want := range map[string]int{"SIGTERM": 143, "SIGKILL": 137} {
				t.Run(row.name+" "+signal, func(t *testing.T) {
					before := n.census()
					c := n.begin(spec{image: i, flags: host})
					c.waitFor(row.ready)
					n.mustCtr("task", "kill", "--signal", signal, c.id)
					if got := c.ended(); got != want {
						t.Errorf("got exit status %d, want %d; %q", got, want, c.output())
					}
					n.nothingLeft(before)
				})
			}
		}
	})
}

func TestHundredContainers(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		const many = 100
		i := n.guest(waiting)
		before := n.census()
		var ids []string
		for k := range many {
			ids = append(ids, fmt.Sprint("many-", k))
			s := spec{image: i, flags: host}
			n.mustCtr(s.command(ids[k], "--detach", "--null-io")...)
		}
		list := n.mustCtr("task", "list")
		if got := strings.Count(list, "RUNNING"); got != many {
			t.Errorf("got %d running, want %d:\n%s", got, many, list)
		}
		n.mustCtr(slices.Concat([]string{"task", "delete", "--force"}, ids)...)
		n.mustCtr(slices.Concat([]string{"container", "delete"}, ids)...)
		n.nothingLeft(before)
	})
}

// A crash of containerd ends nothing. The one that follows finds the containers, and ends them.
func TestRestartOfContainerd(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		before := n.census()
		network, address := n.pod()
		s := spec{image: n.guest(echoServer), policy: mayListen,
			flags: []string{"--with-ns", "network:" + network},
			args:  []string{"/guest.wasm", "0.0.0.0", "3"}}
		log := n.path("survivor.log")
		n.mustCtr(s.command("survivor", "--detach", "--log-uri", "file://"+log)...)
		at := netip.AddrPortFrom(address, n.listening(log))
		n.echoes(at)
		_, pid := n.task("survivor")
		n.kill()
		n.echoes(at)
		n.start()
		n.echoes(at)
		n.until("the end is noticed", func() error {
			if state, again := n.task("survivor"); state != "STOPPED" || again != pid {
				return fmt.Errorf("%s and process %d", state, again)
			}
			return nil
		})
		n.mustCtr("task", "delete", "survivor")
		n.mustCtr("container", "delete", "survivor")

		s = spec{image: n.guest(computing), flags: host}
		n.mustCtr(s.command("computing", "--detach", "--null-io")...)
		n.kill()
		n.start()
		if state, _ := n.task("computing"); state != "RUNNING" {
			t.Errorf("got the state %q, want RUNNING", state)
		}
		n.mustCtr("task", "delete", "--force", "computing")
		n.mustCtr("container", "delete", "computing")
		n.nothingLeft(before)
	})
}

func TestExecIsRefused(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		c := n.begin(spec{image: n.guest(waiting), flags: host})
		c.waitFor("waiting")
		out, err := n.tryCtr("task", "exec", "--exec-id", "x", c.id, "/bin/sh")
		if err == nil || !strings.Contains(err.Error(), "exec") {
			t.Errorf("got %v and %q, want a refusal that speaks of exec", err, out)
		}
		t.Log(err)
		n.mustCtr("task", "kill", "--signal", "SIGKILL", c.id)
		c.ended()
	})
}
