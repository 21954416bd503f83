package integration_test

import (
	"fmt"
	"strconv"
	"testing"
)

// BenchmarkThreadJoin starts a thread of a guest and waits for its end, over and over.
func BenchmarkThreadJoin(b *testing.B) {
	g := startThreads(b, "join", strconv.Itoa(b.N))
	g.readLine()
	g.waitExit(0)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "threads/s")
}

// BenchmarkThreadRoundTrip sends 64 bytes to and fro between two threads of a guest, over a TCP
// connection on loopback.
func BenchmarkThreadRoundTrip(b *testing.B) {
	g := startThreads(b, "pair", "pingpong", strconv.Itoa(b.N))
	var usec int
	if _, err := fmt.Sscanf(g.readLine(), "done %d", &usec); err != nil {
		b.Fatal(err)
	}
	g.waitExit(0)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rounds/s")
}
