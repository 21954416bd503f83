package wasport_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasport/wasport"
)

// TestModules checks that the modules of testdata are what their text says.
func TestModules(t *testing.T) {
	if _, err := exec.LookPath("wat2wasm"); err != nil {
		if os.Getenv("WASPORT_CI") == "1" {
			t.Fatal(err)
		}
		t.Skip("there is no wat2wasm")
	}
	texts, _ := filepath.Glob("testdata/*.wat")
	if len(texts) == 0 {
		t.Fatal("there are no modules")
	}
	for _, text := range texts {
		want, err := exec.Command("wat2wasm", "--debug-names", text, "--output=-").Output()
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
	if status, err := assembled(t, "nothing").Run(context.Background(), wasport.Config{}); err != nil || status.Code != efault {
		t.Errorf("it ended with %+v, %v", status, err)
	}
}

// TestStackWithoutNames looks at the stack of traps in functions that are known by their numbers.
func TestStackWithoutNames(t *testing.T) {
	m := assembled(t, "unnamed")
	for _, test := range []struct{ function, want string }{
		{"", "$1()\n$0()"}, {"copy", "memory.copy(i32,i32,i32)\n$2()"},
	} {
		_, err := m.Run(context.Background(), wasport.Config{Function: test.function})
		var trap *wasport.Trap
		if !errors.As(err, &trap) || trap.Stack != test.want {
			t.Errorf("%q: %v, %+v", test.function, err, trap)
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
	m, err := shared.runtime.Compile(context.Background(), wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close(context.Background()) })
	return m
}

// whole says whether tests that take long are to run in full.
func whole() bool { return os.Getenv("WASPORT_CI") == "1" && measured && !interpreted() }

func interpreted() bool { return os.Getenv("WASPORT_INTERPRETER") != "" }

func median(all []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(all))
	return s[len(s)/2]
}

// stopwatch measures how long something took, without the time that the machine had for others instead.
type stopwatch struct {
	at     time.Time
	queued time.Duration
}

func startWatch() stopwatch {
	q := queued()
	return stopwatch{time.Now(), q}
}

// watchAfter starts a stopwatch once some time has passed; it is read by the function returned.
func watchAfter(d time.Duration) (stop func() time.Duration) {
	started := make(chan stopwatch, 1)
	due := time.Now().Add(d)
	time.AfterFunc(d, func() { started <- stopwatch{due, queued()} })
	return func() time.Duration { return (<-started).stop() }
}

func (w stopwatch) stop() time.Duration { return w.judge(time.Since(w.at)) }

// judge takes away from something that happened since the start what others may have added to it.
func (w stopwatch) judge(d time.Duration) time.Duration { return max(d-max(queued()-w.queued, 0), 0) }

// margin is how many times as long as it should something may take, for what a busy machine does to it and cannot be seen from here.
// Without what is tested it would be ten times and more.
const margin = 2

// within judges durations by their median, since single ones may be spoilt.
func within(t testing.TB, what string, limit time.Duration, all []time.Duration) {
	t.Helper()
	m := median(all)
	t.Logf("%s: median %v, from %v to %v", what, m, slices.Min(all), slices.Max(all))
	if measured && m > margin*limit {
		t.Errorf("%s: %v, which is more than %d times %v", what, m, margin, limit)
	}
}
