//go:build unix

package bench

import (
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/bench/internal/results"
)

// workload is a program under test, which runs natively and as a guest, and its peer, which is
// always native. "PORT" among the words of one is the port on which the other listens.
type workload struct {
	name, subject, peer string

	rate  string  // what is counted in a second; empty: the time of a unit is told
	scale float64 // units of the result in one of the rate

	// waits tells that the program waits for its peer most of the time.
	waits bool
}

const mib = 1 << 20

var workloads = []workload{
	{"tcp64k_send", "stream send PORT 65536 268435456", "stream sink", "MiB/s", mib, false},
	{"tcp64k_recv", "stream recv PORT 65536", "stream source 268435456", "MiB/s", mib, false},
	{"tcp1k_send", "stream send PORT 1024 67108864", "stream sink", "MiB/s", mib, false},
	{"tcp1k_recv", "stream recv PORT 1024", "stream source 67108864", "MiB/s", mib, false},
	{"tcp_pingpong_client", "pingpong client tcp PORT 10000", "pingpong server tcp", "", 1, true},
	{"tcp_pingpong_server", "pingpong server tcp", "pingpong client tcp PORT 10000", "", 1, true},
	{"udp64_send", "datagram send PORT 64 100000", "datagram recv 64", "/s", 1, false},
	{"udp64_recv", "datagram recv 64", "datagram flood PORT 64 100000", "/s", 1, false},
	{"udp1200_send", "datagram send PORT 1200 50000", "datagram recv 1200", "/s", 1, false},
	{"udp1200_recv", "datagram recv 1200", "datagram flood PORT 1200 50000", "/s", 1, false},
	{"udp_pingpong_client", "pingpong client udp PORT 10000", "pingpong server udp", "", 1, true},
	{"udp_pingpong_server", "pingpong server udp", "pingpong client udp PORT 10000", "", 1, true},
	{"connect", "connection connect PORT 2000", "connection accept 2000", "/s", 1, true},
	{"accept", "connection accept 2000", "connection open PORT 2000", "/s", 1, true},
	{"poll500_all", "manyfds serve 500", "manyfds drive PORT 500 500 40", "/s", 1, false},
	{"poll500_one", "manyfds serve 500", "manyfds drive PORT 500 1 2000", "/s", 1, true},
	{"poll1000_grow", "manyfds grow 1000", "", "", 1, false},
	{"getaddrinfo_localhost", "lookup localhost 2000", "", "", 1, true},
	{"getaddrinfo_literal", "lookup 127.0.0.1 200000", "", "", 1, true},
	{"host_call", "call 500000", "", "", 1, false},
}

// measure runs the program under test on a host, with a native peer.
func (w workload) measure(tb testing.TB, on host) measurement {
	tb.Helper()
	return w.measureBetween(tb, on, native{})
}

// measureBetween runs the program under test on one host and its peer on another.
func (w workload) measureBetween(tb testing.TB, on, peerOn host) measurement {
	tb.Helper()
	subject, peer := strings.Fields(w.subject), strings.Fields(w.peer)
	if len(peer) == 0 {
		return on.start(tb, subject).waitResult()
	}
	var s, p *program
	if at := slices.Index(subject, "PORT"); at >= 0 {
		p = peerOn.start(tb, peer)
		subject[at] = p.expectLine("port")
		s = on.start(tb, subject)
	} else {
		s = on.start(tb, subject)
		peer[slices.Index(peer, "PORT")] = s.expectLine("port")
		p = peerOn.start(tb, peer)
	}
	defer p.stop()
	m := s.waitResult()
	// Most peers end by themselves. The others have nothing left to do.
	ended := make(chan struct{})
	go func() {
		p.wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(peerPatience):
		p.stop()
	}
	m.peerCPU, _ = p.wait()
	return m
}

// peerPatience is how long a peer may take to end after the program under test.
const peerPatience = time.Second

// BenchmarkNetwork compares guests with native programs. A rate-ratio is how many times as much a
// guest does in the same time, a time-ratio how many times as long it takes; low and high are the
// range of the ratios of pairs. cpu-ratio is how many times as much processor time a guest takes,
// both-cpu-ratio the same of both ends of the connection. others is the part of the machine's
// processor time that other programs had. With -against, the metrics that begin with "against-" are
// those of the other host, compared with the native program too.
func BenchmarkNetwork(b *testing.B) {
	for _, w := range workloads {
		b.Run(w.name, func(b *testing.B) {
			for _, mode := range w.modes() {
				b.Run(mode.name, func(b *testing.B) { w.compare(b, "network", "", mode) })
			}
		})
	}
	b.Run("getaddrinfo_cached", func(b *testing.B) {
		for _, mode := range modes {
			b.Run(mode.name, func(b *testing.B) { compareCachedLookup(b, mode) })
		}
	})
}

// compare measures a workload in a mode, and records it. dir has the modules, among Modules.
func (w workload) compare(b *testing.B, benchmark, dir string, mode mode) {
	w.comparePrograms(b, benchmark, mode, func() []func() measurement {
		g := newGuestHost(b, wasport.RuntimeConfig{})
		g.dir = dir
		hosts := []host{native{}, g}
		if *against != "" {
			hosts = append(hosts, commandHost{*against, dir})
		}
		var programs []func() measurement
		for _, h := range hosts {
			programs = append(programs, func() measurement { return w.measure(b, h) })
		}
		return programs
	})
}

// comparePrograms measures a native program, a guest and possibly another host in a mode, in which
// they are made, since the scheduler of a runtime is made for the processors.
func (w workload) comparePrograms(b *testing.B, benchmark string, mode mode,
	programs func() []func() measurement) {
	end := mode.set(b)
	run := programs()
	use := startUse(b)
	measured := runAlternately(b, run...)
	end()
	others := use.others(b)
	figures := w.reportMetrics(b, measured[0], measured[1])
	figures.Others = others
	record(b, w.row(benchmark, mode.name, ""), figures)
	if len(measured) > 2 {
		figures := w.summary(measured[0], measured[2])
		figures.Others = others
		b.ReportMetric(figures.Ratio, "against-ratio")
		b.ReportMetric(figures.CPU, "against-cpu-ratio")
		record(b, w.row(benchmark, mode.name, commandHost{text: *against}.name()), figures)
	}
}

// machineUse measures the share of other programs in the time of the machine's processors.
type machineUse struct{ all, total, own float64 }

func startUse(tb testing.TB) (u machineUse) {
	tb.Helper()
	u.all, u.total = busyTime(tb)
	for _, of := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var r unix.Rusage
		if err := unix.Getrusage(of, &r); err != nil {
			tb.Fatal(err)
		}
		u.own += float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9 * clockTicks
	}
	return u
}

// others returns and reports the share since the start. All processes that this one has started
// must have ended.
func (u machineUse) others(b *testing.B) float64 {
	b.Helper()
	now := startUse(b)
	share := max(0, (now.all-u.all-(now.own-u.own))/(now.total-u.total))
	b.ReportMetric(share, "others")
	return share
}

// clockTicks is how many ticks of proc_stat(5) a second has on every system of today (USER_HZ).
const clockTicks = 100

// ratios returns those of each pair in ascending order: of rates, or of times.
func (w workload) ratios(of, to []measurement) []float64 {
	values := make([]float64, len(of))
	for i := range of {
		values[i] = of[i].perUnit() / to[i].perUnit()
		if w.rate != "" {
			values[i] = 1 / values[i]
		}
	}
	slices.Sort(values)
	return values
}

// summary compares a guest with a native program.
func (w workload) summary(natively, asGuest []measurement) results.Run {
	ratios := w.ratios(asGuest, natively)
	run := results.Run{Ratio: results.Median(ratios), Low: ratios[0], High: ratios[len(ratios)-1],
		CPU:  medianRatio(asGuest, natively, measurement.cpuPerUnit),
		Both: medianRatio(asGuest, natively, measurement.bothCPUPerUnit)}
	of := func(m measurement) float64 { return m.perUnit() / 1e3 }
	if w.rate != "" {
		of = func(m measurement) float64 { return m.units / w.scale / m.wall.Seconds() }
	}
	run.Guest, run.Native = medianOf(asGuest, of), medianOf(natively, of)
	return run
}

func (w workload) reportMetrics(b *testing.B, natively, asGuest []measurement) results.Run {
	run := w.summary(natively, asGuest)
	unit, kind := "µs", "time-ratio"
	if w.rate != "" {
		unit, kind = w.rate, "rate-ratio"
	}
	b.ReportMetric(run.Ratio, kind)
	b.ReportMetric(run.Low, "low")
	b.ReportMetric(run.High, "high")
	b.ReportMetric(run.CPU, "cpu-ratio")
	b.ReportMetric(run.Both, "both-cpu-ratio")
	b.ReportMetric(run.Guest, "guest-"+unit)
	b.ReportMetric(run.Native, "native-"+unit)
	return run
}
