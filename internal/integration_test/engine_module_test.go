package integration_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/needs"
)

// TestModules checks that the modules of testdata are what their text says.
func TestModules(t *testing.T) {
	needs.Programs(t, "wat2wasm")
	texts, _ := filepath.Glob("testdata/*.wat")
	if len(texts) == 0 {
		t.Fatal("there are no modules")
	}
	for _, text := range texts {
		want, err := exec.Command("wat2wasm", "--debug-names", "--enable-threads", text,
			"--output=-").Output()
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := os.ReadFile(binaryOf(text)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what %s gives; %v", binaryOf(text), text, err)
		}
	}
}

// TestWithoutMemory runs a module that has none.
func TestWithoutMemory(t *testing.T) {
	const efault = 21
	if status, err := assembled(t, "nothing").Run(context.Background(),
		wasport.Config{}); err != nil || status.Code != efault {
		t.Errorf("it ended with %+v, %v", status, err)
	}
}

// overflown is the reason of an access out of bounds by a program whose stack pointer left the
// memory.
const overflown = "out of bounds memory access: stack overflow, " +
	"see https://github.com/wasport/wasport/blob/main/docs/c/porting.md#the-stack"

// TestStacks looks at what is told of traps: nothing of what has been added to a module, and
// functions without names by their own numbers.
func TestStacks(t *testing.T) {
	wasm, err := os.ReadFile(filepath.Join("testdata", "stack.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	wasm[bytes.Index(wasm, []byte("__stack_pointer"))-2] = 100 // a global that does not exist
	misnamed := compiled(t, wasm)
	for _, test := range []struct {
		module           *wasport.Module
		function, reason string
		stack            string // how it begins
	}{
		{assembled(t, "unnamed"), "", "unreachable", "$1()\n$0()"},
		{assembled(t, "unnamed"), "copy", "out of bounds memory access",
			"memory.copy(i32,i32,i32)\n$2()"},
		{assembled(t, "start"), "", "unreachable", "early()"},
		{module(t, "recurse"), "", "stack overflow", "deeper(i32) i32\ndeeper"},
		{assembled(t, "stack"), "overflow", overflown, "store(i32,i32)"},
		{assembled(t, "stack"), "leaf", overflown, "store(i32,i32)"},
		{assembled(t, "stack"), "wild", "out of bounds memory access", "store(i32,i32)"},
		{assembled(t, "stack"), "full", "unreachable", "full"},
		{misnamed, "overflow", "out of bounds memory access", "store(i32,i32)"},
	} {
		_, err := test.module.Run(context.Background(), wasport.Config{Function: test.function})
		var trap *wasport.Trap
		if !errors.As(err, &trap) || trap.Reason != test.reason ||
			!strings.HasPrefix(trap.Stack, test.stack) {
			t.Errorf("%+v: %v, %+v", test, err, trap)
		}
	}
}

func binaryOf(text string) string { return strings.TrimSuffix(text, ".wat") + ".wasm" }

// assembled compiles one of the modules in testdata.
func assembled(t testing.TB, name string) *wasport.Module {
	t.Helper()
	wasm, err := os.ReadFile(filepath.Join("testdata", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return compiled(t, wasm)
}

func compiled(t testing.TB, wasm []byte) *wasport.Module {
	t.Helper()
	m, err := shared.runtime.Compile(context.Background(), wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close(context.Background()) })
	return m
}

// hook is a source of random bytes that a guest asks in the middle of its work.
type hook func()

func (h hook) Read(b []byte) (int, error) {
	h()
	return rand.Read(b)
}

// whole says whether tests that take long are to run in full.
func whole() bool { return os.Getenv("WASPORT_CI") == "1" && measured && !interpreted() }

func interpreted() bool { return os.Getenv("WASPORT_INTERPRETER") != "" }

// A span is how long something took, and how long without what other programs on the machine may
// have added to it.
type span struct{ whole, own time.Duration }

// longest of several spans.
func longest(all []span) (d span) {
	for _, s := range all {
		d = span{max(d.whole, s.whole), max(d.own, s.own)}
	}
	return d
}

// median of several spans.
func median(all []span) span {
	var whole, own []time.Duration
	for _, s := range all {
		whole, own = append(whole, s.whole), append(own, s.own)
	}
	slices.Sort(whole)
	slices.Sort(own)
	return span{whole[len(all)/2], own[len(all)/2]}
}

// stopwatch measures a span.
type stopwatch struct {
	at     time.Time
	queued time.Duration
}

func startWatch() stopwatch {
	q := queued()
	return stopwatch{time.Now(), q}
}

// watchAfter starts a stopwatch once some time has passed; it is read by the function returned.
func watchAfter(d time.Duration) (stop func() span) {
	started := make(chan stopwatch, 1)
	due := time.Now().Add(d)
	time.AfterFunc(d, func() { started <- stopwatch{due, queued()} })
	return func() span { return (<-started).stop() }
}

func (w stopwatch) stop() span { return w.judge(time.Since(w.at)) }

// judge makes a span of the duration of something that happened since the start.
func (w stopwatch) judge(d time.Duration) span {
	return span{d,
		max(d-max(queued()-w.queued, 0), 0)}
}

// pace is how long a guest that does nothing takes at the moment, from its start to its end: what
// tests measure times by, since it grows with what else the machine has to do.
func pace(t testing.TB) span {
	t.Helper()
	m := assembled(t, "nothing")
	var all []span
	for range 15 {
		w := startWatch()
		if _, err := m.Run(context.Background(), wasport.Config{}); err != nil {
			t.Fatal(err)
		}
		all = append(all, w.stop())
	}
	return median(all)
}

// within judges several attempts at something that must not take longer than a guest that does
// nothing takes so many times over. What else runs on the machine may spoil single ones, so that
// one is enough; and if it spoilt all, they are judged by what remains without it.
func within(t testing.TB, what string, times int, attempts []span) {
	t.Helper()
	best := slices.MinFunc(attempts,
		func(a, b span) int { return cmp.Compare(a.whole, b.whole) }).whole
	own, unit := median(attempts).own, pace(t)
	t.Logf("%s: %v at best, %v at worst; the median without what others may have added is %v; "+
		"the pace is %v",
		what, best, longest(attempts).whole, own, unit.whole)
	if measured && best > time.Duration(times)*unit.whole && own > time.Duration(times)*unit.own {
		t.Errorf("%s: got %v, want at most %d times %v", what, best, times, unit.whole)
	}
}
