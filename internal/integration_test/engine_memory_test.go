package integration_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/wasport/wasport"
)

// TestMemoryGrowsPageByPageCheaply grows a memory 900 times, in less time than copying it a few
// times would take.
func TestMemoryGrowsPageByPageCheaply(t *testing.T) {
	checkRunsWithin(t, "grow", wasport.Config{},
		bound{"start, 900 times memory.grow(1), end", 10})
}

// BenchmarkMemory runs guests from their start to their end: one whose memory grows 900 times by a
// page, and one that starts with 4 GiB and touches three pages.
func BenchmarkMemory(b *testing.B) {
	for _, name := range []string{"grow", "vast"} {
		b.Run(name, func(b *testing.B) {
			m := compileTestdata(b, name)
			for b.Loop() {
				if _, err := m.Run(context.Background(), wasport.Config{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// checkRunsWithin runs a guest from its start to its end.
func checkRunsWithin(t *testing.T, name string, c wasport.Config, b bound) {
	t.Helper()
	m := compileTestdata(t, name)
	checkWithin(t, func() []timing {
		w := startStopwatch()
		_, err := m.Run(context.Background(), c)
		took := w.stop()
		if err != nil {
			t.Fatal(err)
		}
		return []timing{took}
	}, b)
}

// TestMaxMemoryOneByteShort starts a module with just as much memory as it wants, and with a byte
// less.
func TestMaxMemoryOneByteShort(t *testing.T) {
	const wanted = 17 << 16
	m := compileTestdata(t, "receive")
	run := func(limit uint64) error {
		_, err := m.Run(context.Background(),
			wasport.Config{Function: "receive", Params: []uint64{1}, MaxMemory: limit})
		return err
	}
	var trap *wasport.Trap
	if err := run(wanted); !errors.As(err, &trap) { // which it does when it may not connect
		t.Errorf("with enough memory: got %v, want a trap", err)
	}
	if err := run(wanted - 1); err == nil || errors.As(err, &trap) {
		t.Errorf("with a byte less: got %v, want an error that is no trap", err)
	}
}

// TestMemoryIsNotReusedDuringKernelWrite ends guests while the kernel writes into their memory, and
// meanwhile starts others, which get the same addresses as soon as those are free. Data for one
// guest must not arrive in another.
func TestMemoryIsNotReusedDuringKernelWrite(t *testing.T) {
	const each = 4
	rounds := 60
	switch {
	case interpreted():
		rounds = 6
	case isFullRun():
		rounds = 1000
	}
	m := compileTestdata(t, "receive")
	_, flood := serveTCP(t, "127.0.0.1", func(c net.Conn) {
		// The guest's end resets the connection. Under Wine that ends no Write of package net.
		context.AfterFunc(t.Context(), func() { c.Close() })
		floodConn(c)
	})
	began, over := make(chan struct{}, each), make(chan struct{}, each)
	_, answer := serveTCP(t, "127.0.0.1", func(c net.Conn) {
		b := make([]byte, 1)
		if _, err := io.ReadFull(c, b); err != nil {
			t.Error(err)
		}
		began <- struct{}{}
		<-over
		c.Write(b)
	})
	start := func(function string, params ...string) *wasport.Guest {
		c := wasport.Config{Policy: loopbackPolicy(t), Function: function}
		for _, p := range params {
			n, _ := strconv.ParseUint(p, 10, 64)
			c.Params = append(c.Params, n)
		}
		g, err := m.Start(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	for range rounds {
		var receivers, guards []*wasport.Guest
		for range each {
			receivers = append(receivers, start("receive", flood))
		}
		<-time.After(2 * time.Millisecond) // for them to receive
		var ended sync.WaitGroup
		for _, r := range receivers {
			ended.Go(func() {
				r.Stop(nil)
				r.Wait()
			})
		}
		for range each {
			guards = append(guards, start("guard", answer, "85"))
		}
		ended.Wait()
		for range guards {
			<-began
			over <- struct{}{}
		}
		for _, g := range guards {
			status, err := g.Wait()
			if err != nil {
				t.Fatal(err)
			}
			if changed := status.Results[0]; changed != 0 {
				t.Fatalf("got %d bytes that another guest's call changed, want none", changed)
			}
		}
	}
}

// floodConn sends without end.
func floodConn(c net.Conn) {
	block := bytes.Repeat([]byte{0xee}, 1<<20)
	for {
		if _, err := c.Write(block); err != nil {
			return
		}
	}
}
