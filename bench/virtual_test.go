//go:build unix

package bench

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/network/virtual"
)

// newVirtualHost returns the only host of a world.
func newVirtualHost(tb testing.TB) network.Network {
	tb.Helper()
	h, err := virtual.New().Host("host")
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

// socketWorkloads are done by two goroutines with the two ends of a connection.
var socketWorkloads = []struct {
	workload
	units int
	// here does the work and there is its peer.
	here, there func(s network.Socket, n int)
}{
	{workload{name: "tcp64k", rate: "MiB/s", scale: 16}, 8192,
		func(s network.Socket, n int) { sendPieces(s, n, 64<<10) },
		func(s network.Socket, n int) { recvPieces(s, n, 64<<10) }},
	{workload{name: "tcp64_roundtrip", scale: 1}, 20_000,
		func(s network.Socket, n int) { pingPong(s, n, true) },
		func(s network.Socket, n int) { pingPong(s, n, false) }},
}

// BenchmarkVirtual compares the network in memory with the loopback of the kernel: between two
// goroutines with sockets, and between two guests. A rate-ratio is how many times as much is done
// in the same time, a time-ratio how many times as long a round trip takes.
func BenchmarkVirtual(b *testing.B) {
	machine, memory := network.Network(kernel.New(kernel.Config{})), newVirtualHost(b)
	for _, w := range socketWorkloads {
		b.Run("sockets/"+w.name, func(b *testing.B) {
			measure := func(n network.Network) func() measurement {
				return func() measurement { return measureSockets(b, n, w.units, w.here, w.there) }
			}
			all := runAlternately(b, measure(machine), measure(memory))
			w.reportVirtual(b, all[0], all[1])
		})
	}
	overKernel := newGuestHost(b, wasport.RuntimeConfig{})
	overMemory := *overKernel
	overMemory.network = memory
	for _, w := range []workload{
		{"tcp64k", "stream send PORT 65536 268435456", "stream sink", "MiB/s", mib, false},
		{"tcp64_roundtrip", "pingpong client tcp PORT 10000", "pingpong server tcp", "", 1, false},
		{"udp64_roundtrip", "pingpong client udp PORT 10000", "pingpong server udp", "", 1, false},
	} {
		b.Run("guests/"+w.name, func(b *testing.B) {
			all := runAlternately(b,
				func() measurement { return w.measureBetween(b, overKernel, overKernel) },
				func() measurement { return w.measureBetween(b, &overMemory, &overMemory) })
			w.reportVirtual(b, all[0], all[1])
		})
	}
}

func (w workload) reportVirtual(b *testing.B, overKernel, overMemory []measurement) {
	ratio := medianRatio(overMemory, overKernel, measurement.perUnit)
	if w.rate == "" {
		b.ReportMetric(ratio, "time-ratio")
		b.ReportMetric(medianOf(overMemory, measurement.perUnit)/1e3, "memory-µs")
		b.ReportMetric(medianOf(overKernel, measurement.perUnit)/1e3, "kernel-µs")
		return
	}
	rate := func(m measurement) float64 { return m.units / w.scale / m.wall.Seconds() }
	b.ReportMetric(1/ratio, "rate-ratio")
	b.ReportMetric(medianOf(overMemory, rate), "memory-"+w.rate)
	b.ReportMetric(medianOf(overKernel, rate), "kernel-"+w.rate)
}

func measureSockets(b *testing.B, n network.Network, units int,
	here, there func(network.Socket, int)) measurement {
	b.Helper()
	c, s := connectPair(b, n)
	defer c.Close()
	defer s.Close()
	done := make(chan struct{})
	start, before := time.Now(), processorTime()
	go func() {
		defer close(done)
		there(s, units)
	}()
	here(c, units)
	<-done
	return measurement{units: float64(units), wall: time.Since(start),
		cpu: processorTime() - before}
}

// connectPair returns both ends of a connection.
func connectPair(b *testing.B, n network.Network) (client, server network.Socket) {
	b.Helper()
	var opened [2]network.Socket
	for i := range opened {
		var err error
		if opened[i], err = n.Open(network.IPv4, network.Stream); err != nil {
			b.Fatal(err)
		}
	}
	l, client := opened[0], opened[1]
	defer l.Close()
	err := l.Bind(netip.MustParseAddrPort("127.0.0.1:0"))
	if err == nil {
		err = l.Listen(1)
	}
	addr, _ := l.LocalAddr()
	if err == nil {
		if err = client.Connect(addr); err == syscall.EINPROGRESS {
			await(client, network.Writable)
			err = client.FinishConnect()
		}
	}
	if err == nil {
		await(l, network.Readable)
		server, _, err = l.Accept()
	}
	if err != nil {
		b.Fatal(err)
	}
	client.SetOption(network.NoDelay, 1)
	server.SetOption(network.NoDelay, 1)
	return client, server
}

// await waits for an event. Sockets of a benchmark do not fail.
func await(s network.Socket, want network.Events) {
	if _, err := s.Wait(want, time.Time{}); err != nil {
		panic(err)
	}
}

func sendAll(s network.Socket, bufs [][]byte, b []byte) {
	for len(b) > 0 {
		bufs[0] = b
		n, err := s.Send(bufs, netip.AddrPort{})
		if err == syscall.EAGAIN {
			await(s, network.Writable)
		}
		b = b[n:]
	}
}

func recvAll(s network.Socket, bufs [][]byte, b []byte) {
	for len(b) > 0 {
		bufs[0] = b
		r, err := s.Recv(bufs, 0)
		if err == syscall.EAGAIN {
			await(s, network.Readable)
		}
		b = b[r.N:]
	}
}

func sendPieces(s network.Socket, n, size int) {
	piece, bufs := make([]byte, size), make([][]byte, 1)
	for range n {
		sendAll(s, bufs, piece)
	}
}

func recvPieces(s network.Socket, n, size int) {
	piece, bufs := make([]byte, size), make([][]byte, 1)
	for range n {
		recvAll(s, bufs, piece)
	}
}

func pingPong(s network.Socket, n int, first bool) {
	piece, bufs := make([]byte, 64), make([][]byte, 1)
	for range n {
		if first {
			sendAll(s, bufs, piece)
		}
		recvAll(s, bufs, piece)
		if !first {
			sendAll(s, bufs, piece)
		}
	}
}
