package integration_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/wasport/wasport"
)

// streamPeer accepts some connections, and keeps the bytes of each. With sends it sends a byte
// first. With reset it resets a connection once it has got a few bytes.
type streamPeer struct {
	host, port string
	got        []bytes.Buffer
	ended      chan struct{}
}

func newStreamPeer(t *testing.T, connections int, sends, reset bool) *streamPeer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := splitAddr(l.Addr())
	p := &streamPeer{host: at[0], port: at[1], got: make([]bytes.Buffer, connections),
		ended: make(chan struct{})}
	done := make(chan struct{}, connections)
	go func() {
		defer close(p.ended)
		defer l.Close()
		for i := range p.got {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { done <- struct{}{} }()
				defer c.Close()
				if sends {
					c.Write([]byte{1})
				}
				if reset {
					io.ReadFull(c, make([]byte, 2001))
					c.(*net.TCPConn).SetLinger(0)
					return
				}
				io.Copy(&p.got[i], c)
			}()
		}
		for range p.got {
			<-done
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-p.ended
	})
	return p
}

// streamOutcome is the output of a script, and the bytes at its peer.
type streamOutcome struct {
	said, trap string
	got        [3]string
}

func runStreamScript(t *testing.T, script string, reset bool, without ...string) streamOutcome {
	t.Helper()
	p := newStreamPeer(t, 2, strings.ContainsAny(script, "rR"), reset)
	return p.run(t, compileComponent(t, "answers"), script, wasport.Config{
		Without: append([]string{}, without...),
		Args:    []string{"answers", p.host, p.port, script}})
}

// run runs a guest that carries a script out with the peer.
func (p *streamPeer) run(
	t *testing.T, mod *wasport.Module, script string, config wasport.Config,
) streamOutcome {
	t.Helper()
	var out bytes.Buffer
	config.Policy, config.Stdout = loopbackPolicy(t), &out
	status, err := mod.Run(context.Background(), config)
	<-p.ended
	o := streamOutcome{said: strings.TrimSpace(out.String())}
	for i := range p.got {
		o.got[i] = p.got[i].String()
	}
	var trap *wasport.Trap
	switch {
	case errors.As(err, &trap):
		o.trap = trap.Reason
	case err != nil || status.Code != 0:
		t.Fatalf("%s: got status %d, %v, want 0", script, status.Code, err)
	}
	return o
}

// TestStreamAnswers carries scripts out with and without the shortcut. A guest
// must not notice that it answers itself.
func TestStreamAnswers(t *testing.T) {
	// The stream is known afterwards. A trap ends the guest before it says more than the first.
	const warm, warmSaid, lost = "c0w0F0.c0w0", "all ok ok", "all ok"
	for _, tt := range []struct {
		name, script string
		reset        bool
		said, trap   string
	}{
		{name: "answers", script: "c0F0f0c0w0f0", said: "all ok ok all ok ok"},
		{name: "write without check-write", script: "w0", trap: "permits 0 bytes, and 1000 are"},
		{name: "second write", script: "c0w0w0", trap: "permits 0 bytes, and 1000 are"},
		{name: "write after flush", script: "F0w0", trap: "permits 0 bytes, and 1000 are"},
		{name: "beyond the permit", script: "c0W0", trap: "permits 65536 bytes, and 65537 are"},
		{name: "no bytes", script: "c00000w0f0", said: "all ok ok ok ok"},
		{name: "no bytes keep no permit", script: "00w0", trap: "permits 0 bytes, and 1000 are"},
		{name: "permit of another call", script: "c0z0c0w0", said: "all ok all ok"},
		{name: "write-zeroes without a permit", script: "z0", trap: "permits 0 bytes, and 10"},
		{name: "blocking write", script: "c0b0w0", said: "all ok ok"},
		{name: "two streams", script: "c1w1c0c1w0w1f0f1", said: "all ok all all ok ok ok ok"},
		{name: "permit of the other stream", script: "c1w1c0w1", trap: "permits 0 bytes"},
		{name: "shutdown", script: "S0c0f0F0", said: "shut closed closed closed"},
		{name: "shutdown, then write", script: "c0S0w0", said: "all shut closed"},
		{name: "drop", script: "d0c0", trap: "there is no handle"},
		{name: "drop, then flush", script: "d0f0", trap: "there is no handle"},
		{name: "handle of another resource", script: "d0nc0", trap: "is of pollable"},
		{name: "flush of another resource", script: "d0nf0", trap: "is of pollable"},
		{name: "handle 0", script: "h", trap: "there is no handle 0"},
		{name: "subscribe", script: "p0c0w0", said: "all ok"},
		{name: "place not aligned", script: "m0", trap: "the place of the result"},
		{name: "flush's place not aligned", script: "M0", trap: "the place of the result"},
		{name: "place at the end", script: "o0", trap: "the place of the result"},
		{name: "flush's place at the end", script: "O0", trap: "the place of the result"},
		{name: "grown memory", script: "go0", trap: "the place of the result"},
		{name: "read", script: "r0c0w0", said: "byte all ok"},
		{name: "check-write in realloc", script: "R0", trap: "was called by realloc"},
		{name: "reset", script: "e0c0f0", reset: true, said: "failed closed closed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			script, said := warm+tt.script, strings.Join([]string{warmSaid, lost, tt.said}, " ")
			for _, without := range [][]string{nil, {"stream-answers"}, {"all"}} {
				got := runStreamScript(t, script, tt.reset, without...)
				if tt.trap != "" {
					said = warmSaid
				}
				if got.said != said || !strings.Contains(got.trap, tt.trap) ||
					(got.trap == "") != (tt.trap == "") {
					t.Errorf("without %v: got %q and the trap %q, want %q and %q", without,
						got.said, got.trap, said, tt.trap)
				}
			}
		})
	}
}

// TestStreamAnswersAsPlain runs scripts made by chance with and without the shortcut.
func TestStreamAnswersAsPlain(t *testing.T) {
	steps := []string{"c", "c", "c", "w", "w", "w", "f", "F", "f", "b", "0", "z", "p", "d", "S"}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		script := ""
		for range 4 + rng.IntN(30) {
			// Seldom a step that ends most scripts.
			step := steps[rng.IntN(len(steps)-2)]
			if rng.IntN(20) == 0 {
				step = steps[rng.IntN(len(steps))]
			}
			stream := "01"[rng.IntN(2)]
			if rng.IntN(4) > 0 {
				stream = '0'
			}
			if step == "w" && rng.IntN(8) > 0 {
				script += "c" + string(stream)
			}
			script += step + string(stream) + "."[:rng.IntN(8)/7]
		}
		got := runStreamScript(t, script, false)
		want := runStreamScript(t, script, false, "stream-answers")
		if got != want {
			t.Fatalf("%s: got %q, %q and %d, %d bytes, want %q, %q and %d, %d", script, got.said,
				got.trap, len(got.got[0]), len(got.got[1]), want.said, want.trap,
				len(want.got[0]), len(want.got[1]))
		}
	}
}

// TestStreamAnswersEnd ends a guest that answers itself for ever.
func TestStreamAnswersEnd(t *testing.T) {
	p := newStreamPeer(t, 2, false, false)
	g, err := compileComponent(t, "answers").Start(context.Background(), wasport.Config{
		Policy: loopbackPolicy(t), MaxCPU: 100 * time.Millisecond,
		Args: []string{"answers", p.host, p.port, "c0w0F0c0w0l0"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Wait(); !errors.Is(err, wasport.ErrCPU) {
		t.Errorf("got %v, want %v", err, wasport.ErrCPU)
	}
}
