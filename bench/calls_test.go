//go:build unix

package bench

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/bench/internal/results"
	"github.com/wasport/wasport/internal/needs"
)

// contender is a program of which the system calls are counted: natively, as a guest without
// optimisations, or as a guest. Its name is that of the host in the figures. Both functions run all
// of its work, or an eighth.
type contender struct {
	name           string
	counted, timed func(short bool) measurement
}

// BenchmarkCalls counts the system calls that an operation costs a program's process, natively
// (native-calls), as a guest without optimisations (without-calls) and as a guest (guest-calls). It
// also measures the processor time of an operation at both ends, while nothing counts. What the
// programs do once is taken away: a figure is the difference of two runs, of which one does an
// eighth of the work, divided by that of their operations.
func BenchmarkCalls(b *testing.B) {
	needCounter(b)
	command := buildCommand(b)
	for _, w := range workloads {
		if w.name == "poll1000_grow" {
			continue // what it does once grows with the work
		}
		b.Run(w.name, func(b *testing.B) {
			for _, mode := range w.modes() {
				if mode.name == "idle" {
					continue
				}
				b.Run(mode.name, func(b *testing.B) {
					each, size := w.operation()
					row := results.Row{Workload: w.name, Mode: mode.name, Unit: "calls/" + each}
					compareCalls(b, row, mode, size,
						func() []contender { return w.contenders(b, command) })
				})
			}
		})
	}
	for _, count := range []int{10, 1000} {
		row := results.Row{Workload: fmt.Sprint("guests_", count), Unit: "calls/round trip"}
		b.Run(row.Workload, func(b *testing.B) {
			awake := modes[1]
			row.Mode = awake.name
			compareCalls(b, row, awake, 1, func() []contender { return crowdContenders(b, count) })
		})
	}
}

// compareCalls measures the contenders in turns, and records for each what an operation costs.
func compareCalls(b *testing.B, row results.Row, mode mode, size float64,
	contenders func() []contender) {
	end := mode.set(b)
	list := contenders()
	var programs []func() measurement
	for _, c := range list {
		for _, run := range []func(bool) measurement{c.counted, c.timed} {
			programs = append(programs, func() measurement { return run(false) },
				func() measurement { return run(true) })
		}
	}
	use := startUse(b)
	all := runAlternately(b, programs...)
	end()
	others := use.others(b)
	for i, c := range list {
		of := all[4*i:]
		calls := marginal(of[0], of[1], size, func(m measurement) float64 { return m.calls })
		run := results.Run{Guest: results.Median(calls), Low: slices.Min(calls),
			High: slices.Max(calls), Others: others}
		run.CPUEach = results.Median(marginal(of[2], of[3], size,
			func(m measurement) float64 { return float64(m.cpu+m.peerCPU) / 1e3 }))
		row.Benchmark, row.Host = "calls", c.name
		record(b, row, run)
		name := c.name
		if name == "" {
			name = "guest"
		}
		b.ReportMetric(run.Guest, name+"-calls")
		b.ReportMetric(run.CPUEach, name+"-cpu-µs")
	}
}

// marginal returns what an operation of some units costs in each turn, by a long run and a short
// one. What both do once differs a little, so nothing may seem to be less.
func marginal(long, short []measurement, size float64, of func(measurement) float64) []float64 {
	values := make([]float64, len(long))
	for i, m := range long {
		values[i] = max(0, (of(m)-of(short[i]))/(m.units-short[i].units)*size)
	}
	return values
}

// operation returns what the calls of a workload are counted for, and how many of its units that
// is: those of a stream are bytes.
func (w workload) operation() (each string, size float64) {
	words := strings.Fields(w.subject)
	if words[0] == "stream" {
		size, _ = strconv.ParseFloat(words[3], 64)
		return "piece", size
	}
	return map[string]string{"pingpong": "round trip", "datagram": "datagram",
		"connection": "connection", "manyfds": "round trip", "lookup": "lookup",
		"call": "call"}[words[0]], 1
}

// shortened returns the workload with an eighth of the work.
func (w workload) shortened() workload {
	w.subject, w.peer = shortenedWords(w.subject), shortenedWords(w.peer)
	return w
}

// shortenedWords returns the words of a program that does an eighth, if its last word tells how
// much it does. The others do what their peers do.
func shortenedWords(words string) string {
	for _, other := range []string{"stream recv ", "datagram recv ", "manyfds serve "} {
		if strings.HasPrefix(words, other) {
			return words
		}
	}
	at := strings.LastIndexByte(words, ' ') + 1
	n, err := strconv.Atoi(words[at:])
	if err != nil {
		return words
	}
	return words[:at] + strconv.Itoa(n/8)
}

// contenders are those of a workload. The guests that are counted have a process of their own, by
// the command.
func (w workload) contenders(tb testing.TB, command string) []contender {
	of := func(name string, timed host, counted commander) contender {
		run := func(on host, short bool) measurement {
			if short {
				return w.shortened().measure(tb, on)
			}
			return w.measure(tb, on)
		}
		return contender{name, func(short bool) measurement {
			m := run(countedHost{counted}, short)
			m.calls = countedCalls(tb)
			return m
		}, func(short bool) measurement { return run(timed, short) }}
	}
	slow := newGuestHost(tb, wasport.RuntimeConfig{})
	slow.without = []string{"all"}
	run := command + " run --no-cache --allow-connect loopback --allow-listen loopback " +
		"--allow-resolve localhost "
	return []contender{
		of("native", native{}, native{}),
		of("without", slow, commandHost{text: run + "--without all {}"}),
		of("", newGuestHost(tb, wasport.RuntimeConfig{}), commandHost{text: run + "{}"}),
	}
}

// crowdContenders are the guests of a crowd, and a server in C with a thread for each connection.
func crowdContenders(tb testing.TB, count int) (list []contender) {
	const roundTrips = 40_000
	for _, s := range []crowdServer{{"native", "crowd threads"},
		{"without", fmt.Sprint("without ", count, " pingpong server tcp")},
		{"", fmt.Sprint("guests ", count, " pingpong server tcp")}} {
		run := func(short bool, counter []string) measurement {
			rounds := roundTrips / count
			if short {
				rounds /= 8
			}
			return crowd{ports: count, counter: counter,
				drive: func(tb testing.TB, ports []string) (*program, io.WriteCloser) {
					return startDriver(tb, ports, count, rounds)
				}}.measure(tb, s.words)
		}
		list = append(list, contender{s.name,
			func(short bool) measurement { return run(short, counter()) },
			func(short bool) measurement { return run(short, nil) }})
	}
	return list
}

// commander is a host of which each program has a process.
type commander interface {
	command(tb testing.TB, words []string) []string
}

// countedHost runs programs of another and counts their system calls.
type countedHost struct{ commander }

func (c countedHost) start(tb testing.TB, words []string) *program {
	tb.Helper()
	command := append(counter(), c.command(tb, words)...)
	return startProcess(tb, exec.Command(command[0], command[1:]...))
}

// callEvent is the event of each system call.
const callEvent = "raw_syscalls:sys_enter"

// counter returns the words before those of a process that count the calls of all its threads. The
// kernel counts (perf-stat(1)): no thread is stopped as by a tracer, so waits stay what they are.
func counter() []string {
	return []string{"perf", "stat", "-x,", "-e", callEvent, "-o", filepath.Join(buildDir, "calls"),
		"--"}
}

// countedCalls returns the count of the last process.
func countedCalls(tb testing.TB) (calls float64) {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(buildDir, "calls"))
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, callEvent) {
			if _, err := fmt.Sscanf(line, "%g,", &calls); err == nil {
				return calls
			}
		}
	}
	tb.Fatalf("got %q of perf, want a count of %s", text, callEvent)
	return 0
}

// needCounter skips a benchmark where calls cannot be counted.
func needCounter(b *testing.B) {
	b.Helper()
	needs.Programs(b, "perf")
	command := append(counter(), "true")
	if msg, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		needs.Missing(b, fmt.Errorf("perf cannot count system calls: %w; root may, "+
			"where tracefs is mounted\n%s", err, msg))
	}
}

// TestShortened has programs that are told how much to do, and others.
func TestShortened(t *testing.T) {
	for _, test := range []struct{ subject, peer, wantSubject, wantPeer string }{
		{"stream send PORT 1024 67108864", "stream sink", "stream send PORT 1024 8388608",
			"stream sink"},
		{"stream recv PORT 1024", "stream source 800", "stream recv PORT 1024",
			"stream source 100"},
		{"datagram recv 64", "datagram flood PORT 64 80", "datagram recv 64",
			"datagram flood PORT 64 10"},
		{"connection accept 2000", "connection open PORT 2000", "connection accept 250",
			"connection open PORT 250"},
		{"manyfds serve 500", "manyfds drive PORT 500 1 40", "manyfds serve 500",
			"manyfds drive PORT 500 1 5"},
		{"lookup localhost 2000", "", "lookup localhost 250", ""},
	} {
		w := workload{subject: test.subject, peer: test.peer}.shortened()
		if w.subject != test.wantSubject || w.peer != test.wantPeer {
			t.Errorf("got %q with %q, want %q with %q", w.subject, w.peer, test.wantSubject,
				test.wantPeer)
		}
	}
}

// TestMarginal has what programs do once, which is not part of an operation.
func TestMarginal(t *testing.T) {
	w := workload{subject: "stream send PORT 1024 67108864"}
	each, size := w.operation()
	// A piece is two calls, beside 300 in the first turn, and once less in the long run.
	long := []measurement{{units: 80 * 1024, calls: 460}, {units: 80 * 1024, calls: 100}}
	short := []measurement{{units: 10 * 1024, calls: 320}, {units: 10 * 1024, calls: 101}}
	got := marginal(long, short, size, func(m measurement) float64 { return m.calls })
	if each != "piece" || got[0] != 2 || got[1] != 0 {
		t.Errorf("got %v calls of each %s, want 2 and 0 of each piece", got, each)
	}
}
