package sched

import (
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

// garbageCost is what the Go runtime takes to collect the memory of the process. It depends on the
// program around the guests: a heap full of pointers takes four times as long as one without.
type garbageCost struct {
	// perKiB is the time to collect 1 KiB, in ns. 0 means that it is not known yet.
	perKiB atomic.Int64
	// readAt is the time of the last reading.
	readAt atomic.Int64

	// mu protects the fields below.
	mu      sync.Mutex
	samples []metrics.Sample
	cycles  uint64
	// took and allocated are the sums up to the end of the last cycle that was read.
	took      float64
	allocated uint64
}

const (
	// readGarbageEvery is how often the cost is read. A reading takes some microseconds.
	readGarbageEvery = 20 * time.Millisecond

	// The cost is kept between these bounds, in ns for each KiB: collections that an embedder
	// forces are not a guest's.
	minGarbageCost = 256
	maxGarbageCost = 4096
)

// of returns the time to collect so many bytes, in ns.
func (g *garbageCost) of(bytes int, now int64) int64 {
	if at := g.readAt.Load(); now-at >= int64(readGarbageEvery) &&
		g.readAt.CompareAndSwap(at, now) {
		g.read()
	}
	return int64(bytes) * max(g.perKiB.Load(), minGarbageCost) / 1024
}

// read compares what collections took since the last reading with what was allocated. The runtime
// adds up the time at the end of each cycle.
func (g *garbageCost) read() {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := g.samples == nil
	if first {
		g.samples = []metrics.Sample{
			{Name: "/gc/cycles/total:gc-cycles"},
			{Name: "/gc/heap/allocs:bytes"},
			{Name: "/cpu/classes/gc/total:cpu-seconds"},
			{Name: "/cpu/classes/scavenge/total:cpu-seconds"},
		}
	}
	metrics.Read(g.samples)
	cycles := g.samples[0].Value.Uint64()
	if cycles == g.cycles {
		return
	}
	allocated := g.samples[1].Value.Uint64()
	took := g.samples[2].Value.Float64() + g.samples[3].Value.Float64()
	if !first && allocated > g.allocated {
		cost := int64((took - g.took) * 1e9 * 1024 / float64(allocated-g.allocated))
		cost = min(max(cost, minGarbageCost), maxGarbageCost)
		if last := g.perKiB.Load(); last != 0 {
			cost = (last + cost) / 2
		}
		g.perKiB.Store(cost)
	}
	g.cycles, g.allocated, g.took = cycles, allocated, took
}
