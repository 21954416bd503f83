package integration_test

import (
	"fmt"
	"strconv"
	"testing"
)

// BenchmarkThreadJoin starts a thread of a guest and waits for its end, over and over.
func BenchmarkThreadJoin(b *testing.B) {
	g := startThreads(b, "join", strconv.Itoa(b.N))
	g.line()
	g.ends(0)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "threads/s")
}

// BenchmarkThreadRoundTrip sends 64 bytes to and fro between two threads of a guest, over a TCP
// connection on loopback.
func BenchmarkThreadRoundTrip(b *testing.B) {
	g := startThreads(b, "pair", "pingpong", strconv.Itoa(b.N))
	var µs int
	if _, err := fmt.Sscanf(g.line(), "done %d", &µs); err != nil {
		b.Fatal(err)
	}
	g.ends(0)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rounds/s")
}
