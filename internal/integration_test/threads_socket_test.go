package integration_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/testutil"
)

// TestThreadsPassDatagramsThroughQueue passes datagrams through two threads that wait for each
// other.
func TestThreadsPassDatagramsThroughQueue(t *testing.T) {
	repeatTest(t, func(t *testing.T) {
		g := startThreads(t, "produce")
		c, err := net.Dial("udp", g.readListenAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(testTimeout))
		const count, ahead = 60, 12 // which is more than the queue has places
		for i := range count + ahead {
			if i < count {
				writeText(t, c, fmt.Sprintf("item %d", i))
			}
			if i >= ahead {
				expectText(t, c, fmt.Sprintf("%ditem %d", (i-ahead)%10, i-ahead))
			}
		}
		writeText(t, c, "end")
		g.expectLines(fmt.Sprintf("passed %d", count))
		g.waitExit(0)
	})
}

// TestThreadsTalkOverConnection has threads talk to each other over a connection: from end to end,
// and in both directions on each end.
func TestThreadsTalkOverConnection(t *testing.T) {
	for mode, rounds := range map[string]string{"pingpong": "100", "stream": "300",
		"duplex": "200"} {
		t.Run(mode, func(t *testing.T) {
			repeatTest(t, func(t *testing.T) {
				g := startThreads(t, "pair", mode, rounds)
				if got := g.readLine(); !strings.HasPrefix(got, "done ") {
					t.Errorf(`got %q, want "done"`, got)
				}
				g.waitExit(0)
			})
		})
	}
}

// TestThreadsAcceptOnOneListener has several threads accept on one listener. Each connection is
// accepted once.
func TestThreadsAcceptOnOneListener(t *testing.T) {
	repeatTest(t, func(t *testing.T) {
		const threads, count = 4, 40
		g := startThreads(t, "accepts", fmt.Sprint(threads), fmt.Sprint(count))
		at := g.readListenAddr()
		conns := make([]net.Conn, count)
		for i := range conns {
			conns[i] = dialGuest(t, at)
		}
		for _, c := range conns {
			if b, err := io.ReadAll(c); err != nil || len(b) != 1 || b[0] >= threads {
				t.Errorf("got %v, %v, want the number of a thread", b, err)
			}
		}
		g.expectLines(fmt.Sprintf("accepted %d", count))
		g.waitExit(0)
	})
}

// TestThreadClosesDescriptorOthersBlockOn closes descriptors that threads are blocked on.
func TestThreadClosesDescriptorOthersBlockOn(t *testing.T) {
	repeatTest(t, func(t *testing.T) {
		g := startThreads(t, "closing", "sockets")
		for _, way := range []string{"recv", "send", "read", "accept", "recv_from", "poll",
			"poll listener", "poll two"} {
			for range 3 { // closed; closed and opened again; renumbered
				g.expectLines(way + ": 8 8 8")
			}
		}
		g.waitExit(0)

		for _, way := range []string{"poll stdin", "read stdin"} {
			silent, keep := io.Pipe()
			g := startThreadsWith(t, context.Background(),
				wasport.Config{Stdin: silent, Policy: loopbackPolicy(t)}, "closing", way)
			g.expectLines(way + ": 8 8 8")
			g.waitExit(0)
			keep.Close()
		}
	})
}

// TestMemoryGrowsDuringCallsOfThreads makes the memory grow while threads are in system calls,
// start and compute.
func TestMemoryGrowsDuringCallsOfThreads(t *testing.T) {
	repeatTest(t, func(t *testing.T) {
		const rounds = 300
		g := startThreads(t, "grow", fmt.Sprint(rounds))
		for {
			line := g.readLine()
			if line == "tick" {
				continue
			}
			var grown int
			if _, err := fmt.Sscanf(line, "grown %d", &grown); err != nil || grown < rounds {
				t.Errorf("got %q, want at least %d pages grown", line, rounds)
			}
			break
		}
		g.waitExit(0)
	})
}

// TestThreadChangesArgumentsDuringCall has a thread change the address that another passes to a
// call, during the call. The address that is judged must be the one that is used.
func TestThreadChangesArgumentsDuringCall(t *testing.T) {
	repeatTest(t, func(t *testing.T) {
		allowed, port := listenUDP(t)
		denied, deniedPort := listenUDP(t)
		c := wasport.Config{Policy: testutil.Policy(t, "allow connect udp://127.0.0.1:"+port)}
		for _, args := range [][]string{{"port", "100", port, deniedPort},
			{"memory", "100", port}} {
			g := startThreadsWith(t, context.Background(), c, "flip", args...)
			g.expectLines("done")
			g.waitExit(0)
		}
		expectDatagram(t, allowed, "datagram")
		// Were there one that was judged as another, it would come first.
		if _, err := denied.WriteTo([]byte("marker"), denied.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		expectDatagram(t, denied, "marker")
	})
}

// listenUDP is a socket for datagrams, with its port.
func listenUDP(t *testing.T) (net.PacketConn, string) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, fmt.Sprint(c.LocalAddr().(*net.UDPAddr).Port)
}

func expectDatagram(t *testing.T, c net.PacketConn, want string) {
	t.Helper()
	b := make([]byte, 64)
	c.SetDeadline(time.Now().Add(testTimeout))
	if n, _, err := c.ReadFrom(b); err != nil || string(b[:n]) != want {
		t.Errorf("got %q, %v, want %q", b[:n], err, want)
	}
}
