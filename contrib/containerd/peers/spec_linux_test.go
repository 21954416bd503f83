package peers

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// All that the specification of a container says reaches the guest.
func TestSpecification(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		n.write("volume/in", "")
		mount := "type=bind,src=" + n.path("volume") + ",dst=/volume,options=rbind:"
		show := n.guest("cmd/wasport/testdata/module/show.wasm")
		probe := n.guest(prober)
		for _, row := range []struct {
			name  string
			spec  spec
			lines []string
		}{
			{"arguments and environment", spec{image: show, flags: []string{"--env", "COLOUR=blue"},
				args: []string{"/guest.wasm", "one", "two words"}},
				[]string{"/guest.wasm", "one", "two words", "COLOUR=blue"}},
			{"working directory", spec{image: show, flags: []string{"--cwd", "/a/b"}},
				[]string{"PWD=/a/b"}},
			{"a volume", spec{image: probe, flags: []string{"--mount", mount + "rw"},
				args: []string{"/guest.wasm", "volume/new"}},
				[]string{"create volume/new 0 OK"}},
			{"a volume that is read-only", spec{image: probe,
				flags: []string{"--mount", mount + "ro"},
				args:  []string{"/guest.wasm", "volume/more"}},
				[]string{"create volume/more 69 EROFS"}},
			{"a root that is read-only", spec{image: probe, flags: []string{"--read-only"},
				args: []string{"/guest.wasm", "more"}}, []string{"create more 69 EROFS"}},
		} {
			row.spec.flags = append(row.spec.flags, host...)
			out, err := n.run(row.spec)
			for _, line := range row.lines {
				if !strings.Contains("\n"+out, "\n"+line+"\n") {
					t.Errorf("%s: got %v and\n%s\nwant the line %q", row.name, err, out, line)
				}
			}
		}
		if _, err := os.Stat(n.path("volume/more")); err == nil {
			t.Error("got a file in the volume that is read-only, want none")
		}
	})
}

// The CRI finds a plain manifest alone; the other forms run with ctr.
func TestFormsOfImages(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		hello := moduleImage(t, "wasport.test/forms:", readModule(t,
			"cmd/wasport/testdata/module/hello.wasm"))
		for name, change := range map[string]func(*image){
			"wasip1":         func(*image) {},
			"linux":          func(i *image) { i.os, i.arch = "linux", "amd64" },
			"index":          func(i *image) { i.index = true },
			"name in PATH":   func(i *image) { i.config["Entrypoint"] = []string{"guest.wasm"} },
			"many layers":    func(i *image) { i.layers = manyLayers(t, i.layers[0]) },
			"other user":     func(i *image) { i.config["User"] = "65532:65532" },
			"with arguments": func(i *image) { i.config["Cmd"] = []string{"x"} },
		} {
			t.Run(name, func(t *testing.T) {
				i := hello
				i.name += strings.ReplaceAll(name, " ", "-")
				i.config = map[string]any{"Entrypoint": []string{"/guest.wasm"}}
				change(&i)
				n.load(namespace, i)
				if out, err := n.run(spec{image: i, flags: host}); !strings.Contains(out, "hello") {
					t.Errorf("got %v and %q, want hello", err, out)
				}
			})
		}
	})
}

// manyLayers puts a layer below as many others as fit in one page of mount options by a margin.
func manyLayers(t *testing.T, first []byte) [][]byte {
	all := [][]byte{first}
	for k := range 60 {
		all = append(all, layer(t, file{name: strconv.Itoa(k), content: []byte{byte(k)}}))
	}
	return all
}

// Metrics are those of the cgroup: processor time grows while the guest computes, memory is there.
func TestMetrics(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		c := n.begin(spec{image: n.guest(computing), flags: host})
		c.waitFor("spinning")
		first := n.metrics(c.id)
		n.until("the processor time grows", func() error {
			if later := n.metrics(c.id); later.CPU.Usage.Total <= first.CPU.Usage.Total {
				return os.ErrDeadlineExceeded
			}
			return nil
		})
		if got := first.Memory.Usage.Usage; got < 1<<20 || got > 256<<20 {
			t.Errorf("got %d bytes of memory, want between 1 and 256 MiB", got)
		}
		n.mustCtr("task", "kill", "--signal", "SIGKILL", c.id)
		c.ended()
	})
}

// metrics is ctr's output about a task: the metrics of cgroup v1 (containerd/cgroups, stats).
type metrics struct {
	CPU    struct{ Usage struct{ Total uint64 } }
	Memory struct{ Usage struct{ Usage uint64 } }
}

func (n *node) metrics(id string) metrics {
	n.Helper()
	out := n.mustCtr("task", "metrics", "--format", "json", id)
	var m metrics
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		n.Fatalf("got %v and %s, want metrics", err, out)
	}
	return m
}

// A guest that computes gets a quarter of a processor at most.
func TestProcessorLimit(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		limit := []string{"--cpus", "0.25", "--net-host"}
		c := n.begin(spec{image: n.guest(computing), flags: limit})
		c.waitFor("spinning")
		begin, first := time.Now(), n.metrics(c.id)
		var used, passed time.Duration
		n.until("the guest has used half a second of a processor", func() error {
			later := n.metrics(c.id)
			passed = time.Since(begin)
			used = time.Duration(later.CPU.Usage.Total - first.CPU.Usage.Total)
			if used < time.Second/2 {
				return os.ErrDeadlineExceeded
			}
			return nil
		})
		if used > passed/2 {
			t.Errorf("got %v of a processor in %v, want at most half of that", used, passed)
		}
		n.mustCtr("task", "kill", "--signal", "SIGKILL", c.id)
		c.ended()
	})
}
