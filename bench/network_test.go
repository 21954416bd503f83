//go:build unix

package bench

import (
	"slices"
	"strings"
	"testing"

	"github.com/wasport/wasport"
)

// workload is a program under test, which runs natively and as a guest, and its peer, which is
// always native. "PORT" among the words of one is the port on which the other listens.
type workload struct {
	name, subject, peer string

	rate  string  // what is counted in a second; empty: the time of a unit is told
	scale float64 // units of the result in one of the rate; 0 = 1
}

const mib = 1 << 20

var workloads = []workload{
	{"tcp64k_send", "stream send PORT 65536 268435456", "stream sink", "MiB/s", mib},
	{"tcp64k_recv", "stream recv PORT 65536", "stream source 268435456", "MiB/s", mib},
	{"tcp1k_send", "stream send PORT 1024 67108864", "stream sink", "MiB/s", mib},
	{"tcp1k_recv", "stream recv PORT 1024", "stream source 67108864", "MiB/s", mib},
	{"tcp_pingpong_client", "pingpong client tcp PORT 10000", "pingpong server tcp", "", 1},
	{"tcp_pingpong_server", "pingpong server tcp", "pingpong client tcp PORT 10000", "", 1},
	{"udp64_send", "datagram send PORT 64 100000", "datagram recv 64", "/s", 1},
	{"udp64_recv", "datagram recv 64", "datagram flood PORT 64 100000", "/s", 1},
	{"udp1200_send", "datagram send PORT 1200 50000", "datagram recv 1200", "/s", 1},
	{"udp1200_recv", "datagram recv 1200", "datagram flood PORT 1200 50000", "/s", 1},
	{"udp_pingpong_client", "pingpong client udp PORT 10000", "pingpong server udp", "", 1},
	{"udp_pingpong_server", "pingpong server udp", "pingpong client udp PORT 10000", "", 1},
	{"connect", "connection connect PORT 2000", "connection accept 2000", "/s", 1},
	{"accept", "connection accept 2000", "connection open PORT 2000", "/s", 1},
	{"poll500_all", "manyfds serve 500", "manyfds drive PORT 500 500 40", "/s", 1},
	{"poll500_one", "manyfds serve 500", "manyfds drive PORT 500 1 2000", "/s", 1},
	{"getaddrinfo", "lookup localhost 2000", "", "", 1},
	{"host_call", "call 500000", "", "", 1},
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
	return s.waitResult()
}

// BenchmarkNetwork compares guests with native programs. A rate-ratio is how many times as much a
// guest does in the same time, a time-ratio how many times as long it takes, and cpu-ratio how many
// times as much processor time it takes.
func BenchmarkNetwork(b *testing.B) {
	g := newGuestHost(b, wasport.RuntimeConfig{})
	for _, w := range workloads {
		b.Run(w.name, func(b *testing.B) {
			all := runAlternately(b, func() measurement { return w.measure(b, native{}) },
				func() measurement { return w.measure(b, g) })
			w.reportMetrics(b, all[0], all[1])
		})
	}
}

func (w workload) reportMetrics(b *testing.B, natively, asGuest []measurement) {
	b.ReportMetric(medianRatio(asGuest, natively, measurement.cpuPerUnit), "cpu-ratio")
	ratio := medianRatio(asGuest, natively, measurement.perUnit)
	if w.rate == "" {
		b.ReportMetric(ratio, "time-ratio")
		b.ReportMetric(medianOf(asGuest, measurement.perUnit)/1e3, "guest-µs")
		b.ReportMetric(medianOf(natively, measurement.perUnit)/1e3, "native-µs")
		return
	}
	rate := func(m measurement) float64 { return m.units / w.scale / m.wall.Seconds() }
	b.ReportMetric(1/ratio, "rate-ratio")
	b.ReportMetric(medianOf(asGuest, rate), "guest-"+w.rate)
	b.ReportMetric(medianOf(natively, rate), "native-"+w.rate)
}
