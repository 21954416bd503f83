//go:build unix

package bench

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/bench/internal/results"
	"github.com/wasport/wasport/internal/needs"
)

// crowd is a server with many connections, which one process drives. Guests are compared with
// servers that are native.
type crowd struct {
	name   string
	guests string // how many, and their words
	ports  int    // that the guests print

	descriptors uint64 // that the server and the driver need, each
	// drive talks to the server, natively, once its input has another line.
	drive func(tb testing.TB, ports []string) (driver *program, input io.WriteCloser)

	// counter has the words before those of a server whose system calls are counted.
	counter []string
}

// crowdServer is one of the servers: its name in the figures, empty for guests, and its words.
type crowdServer struct{ name, words string }

// servers are those that are measured, that with which the others are compared first.
func (c crowd) servers() []crowdServer {
	return []crowdServer{{"Go net", "gonet"}, {"", "guests " + c.guests},
		{"C epoll", "crowd epoll"}, {"C threads", "crowd threads"}}
}

func crowds() (list []crowd) {
	for _, count := range []int{1, 10, 100, 1000, 10_000} {
		list = append(list, crowd{name: fmt.Sprint("guests_", count),
			guests: fmt.Sprint(count, " pingpong server tcp"), ports: count,
			descriptors: uint64(count) + 500,
			drive: func(tb testing.TB, ports []string) (*program, io.WriteCloser) {
				return startDriver(tb, ports, count, max(20_000/count, 5))
			}})
	}
	for _, count := range []int{100, 1000, 4000} {
		list = append(list, crowd{name: fmt.Sprintf("poll%d_ten", count),
			guests: fmt.Sprint("1 manyfds serve ", count), ports: 1,
			descriptors: uint64(count) + 500,
			drive: func(tb testing.TB, ports []string) (*program, io.WriteCloser) {
				cmd := exec.Command(buildNative(tb, "manyfds"), "drive", ports[0],
					strconv.Itoa(count), "10", "1000")
				return startWithInput(tb, cmd)
			}})
	}
	return list
}

// BenchmarkCrowd compares guests with servers on Go's package net, and in C with epoll and with
// threads: guests that echo one connection each, all of them at once, and a guest that polls many
// connections of which ten talk. The metrics are those of BenchmarkNetwork, with the server in Go
// as the native program. cpu-µs is the processor time of a guest's round trip, p99-µs the time
// within which 99 of 100 were done.
func BenchmarkCrowd(b *testing.B) {
	for _, c := range crowds() {
		b.Run(c.name, func(b *testing.B) { c.compare(b) })
	}
}

func (c crowd) compare(b *testing.B) {
	needDescriptors(b, c.descriptors)
	servers := c.servers()
	var programs []func() measurement
	for _, s := range servers {
		programs = append(programs, func() measurement { return c.measure(b, s.words) })
	}
	end := keepAwake(b)
	use := startUse(b)
	measured := runAlternately(b, programs...)
	end()
	others := use.others(b)
	w := workload{name: c.name, rate: "/s", scale: 1}
	for i, s := range servers[1:] {
		run := w.crowdSummary(measured[0], measured[i+1])
		run.Others = others
		record(b, w.row("crowd", "awake", s.name), run)
		if s.name == "" {
			w.reportMetrics(b, measured[0], measured[i+1])
			b.ReportMetric(run.CPUEach, "cpu-µs")
			if run.P99 > 0 {
				b.ReportMetric(run.P99, "p99-µs")
			}
		} else {
			b.ReportMetric(run.Ratio, strings.ReplaceAll(s.name, " ", "-")+"-ratio")
		}
	}
}

// TestCrowd has each server echo on three connections.
func TestCrowd(t *testing.T) {
	const count, rounds = 3, 50
	c := crowd{guests: fmt.Sprint(count, " pingpong server tcp"), ports: count,
		drive: func(tb testing.TB, ports []string) (*program, io.WriteCloser) {
			return startDriver(tb, ports, count, rounds)
		}}
	for _, s := range c.servers() {
		t.Run(s.words, func(t *testing.T) {
			m := c.measure(t, s.words)
			if m.units != count*rounds || m.cpu <= 0 || m.p99 <= 0 || m.p99 > m.wall {
				t.Errorf("got %+v, want %d round trips, their processor time, and a p99 within "+
					"the whole time", m, count*rounds)
			}
		})
	}
}

// crowdSummary is summary with the processor time of a round trip, and its longest time but for one
// in a hundred.
func (w workload) crowdSummary(base, of []measurement) results.Run {
	run := w.summary(base, of)
	cpu := func(m measurement) float64 { return m.cpuPerUnit() / 1e3 }
	p99 := func(m measurement) float64 { return float64(m.p99) / 1e3 }
	run.CPUEach, run.NativeCPUEach = medianOf(of, cpu), medianOf(base, cpu)
	run.P99, run.NativeP99 = medianOf(of, p99), medianOf(base, p99)
	return run
}

// needDescriptors skips a benchmark that needs more descriptors than a process may open.
func needDescriptors(b *testing.B, count uint64) {
	b.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		b.Fatal(err)
	} else if uint64(limit.Max) < count {
		needs.Missing(b, fmt.Errorf("a process may open %d descriptors, and %d are needed: "+
			"`ulimit -Hn %d`, as root", limit.Max, count, count))
	}
}

// measure runs a server and its driver. The processor time is that from the last connection on.
func (c crowd) measure(tb testing.TB, server string) measurement {
	tb.Helper()
	words, ports := strings.Fields(server), 1
	command := []string{os.Args[0]}
	switch words[0] {
	case "crowd":
		command = []string{buildNative(tb, "native/crowd"), words[1]}
	case "guests", "without":
		ports = c.ports
	}
	command = slices.Concat(c.counter, command)
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), serverEnv+"="+server)
	p, ask := startWithInput(tb, cmd)
	defer p.stop()
	var list []string
	for range ports {
		list = append(list, p.expectLine("port"))
	}
	cpu := func() time.Duration {
		io.WriteString(ask, "cpu?\n")
		ns, err := strconv.ParseInt(p.expectLine("cpu"), 10, 64)
		if err != nil {
			tb.Fatal(err)
		}
		return time.Duration(ns)
	}
	driver, start := c.drive(tb, list)
	defer driver.stop()
	driver.expectLine("connected")
	before := cpu()
	start.Close()
	m := driver.waitResult()
	m.peerCPU, m.cpu = m.cpu, cpu()-before
	if c.counter != nil {
		ask.Close()
		p.wait()
		m.calls = countedCalls(tb)
	}
	return m
}

// startWithInput starts a process whose input is written to.
func startWithInput(tb testing.TB, cmd *exec.Cmd) (*program, io.WriteCloser) {
	tb.Helper()
	input, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	return startProcess(tb, cmd), input
}
