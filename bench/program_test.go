//go:build unix

package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/policy"
)

// measurement is what a program did: so many units in so long, with so much time of processors.
type measurement struct {
	units     float64
	wall, cpu time.Duration
}

// perUnit is the time that a unit took.
func (m measurement) perUnit() float64 { return float64(m.wall) / m.units }

func (m measurement) cpuPerUnit() float64 { return float64(m.cpu) / m.units }

// running is a program that runs: a process, or a guest in this one.
type running struct {
	tb    testing.TB
	lines *bufio.Scanner
	wait  func() (cpu time.Duration, err error) // waits for its end
	stop  func()
}

// host runs programs, given by their words.
type host interface {
	start(tb testing.TB, words []string) *running
}

// expect returns the next line that starts with a word, without it.
func (r *running) expect(word string) string {
	r.tb.Helper()
	for r.lines.Scan() {
		if rest, ok := strings.CutPrefix(r.lines.Text(), word+" "); ok {
			return rest
		}
	}
	_, err := r.wait()
	r.tb.Fatalf("the program ended without a %s: %v", word, err)
	return ""
}

// result waits for the program's end.
func (r *running) result() measurement {
	r.tb.Helper()
	var m measurement
	var ns int64
	if _, err := fmt.Sscan(r.expect("result"), &m.units, &ns); err != nil {
		r.tb.Fatal(err)
	}
	for r.lines.Scan() {
	}
	m.wall = time.Duration(ns)
	var err error
	if m.cpu, err = r.wait(); err != nil {
		r.tb.Fatal(err)
	}
	return m
}

// native runs programs as processes.
type native struct{}

// built is the directory of the programs that were built, for all benchmarks.
var built string

// binary compiles a workload for this machine.
func binary(tb testing.TB, name string) string {
	tb.Helper()
	out := filepath.Join(built, name)
	if _, err := os.Stat(out); err == nil {
		return out
	}
	needs.Programs(tb, "cc") // which builds the native programs that guests are compared with
	cc, err := exec.LookPath("cc")
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range []string{name + ".c", "bench.h"} {
		text, err := Sources.ReadFile("src/" + f)
		if err == nil {
			err = os.WriteFile(filepath.Join(built, f), text, 0o666)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if msg, err := exec.Command(cc, "-std=gnu11", "-O2", out+".c", "-o",
		out).CombinedOutput(); err != nil {
		tb.Fatalf("%v\n%s", err, msg)
	}
	return out
}

func (native) start(tb testing.TB, words []string) *running {
	tb.Helper()
	cmd := exec.Command(binary(tb, words[0]), words[1:]...)
	return startProcess(tb, cmd)
}

func startProcess(tb testing.TB, cmd *exec.Cmd) *running {
	tb.Helper()
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		tb.Fatal(err)
	}
	wait := sync.OnceValues(func() (time.Duration, error) {
		err := cmd.Wait()
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), err
	})
	return &running{tb, bufio.NewScanner(out), wait, func() {
		cmd.Process.Kill()
		wait()
	}}
}

// guests runs programs as guests of a runtime.
type guests struct {
	runtime *wasport.Runtime
	modules map[string]*wasport.Module
}

func newGuests(tb testing.TB, c wasport.RuntimeConfig) *guests {
	tb.Helper()
	rt, err := wasport.NewRuntime(context.Background(), c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { rt.Close(context.Background()) })
	return &guests{rt, make(map[string]*wasport.Module)}
}

// module compiles a program, once; without its module, a workload.
func (g *guests) module(tb testing.TB, name string, wasm []byte) *wasport.Module {
	tb.Helper()
	if m, ok := g.modules[name]; ok {
		return m
	}
	var err error
	if wasm == nil {
		wasm, err = Modules.ReadFile(name + ".wasm")
	}
	var m *wasport.Module
	if err == nil {
		m, err = g.runtime.Compile(context.Background(), wasm, wasport.CompileConfig{})
	}
	if err != nil {
		tb.Fatal(err)
	}
	g.modules[name] = m
	return m
}

func (g *guests) start(tb testing.TB, words []string) *running {
	tb.Helper()
	m := g.module(tb, words[0], nil)
	r, w := io.Pipe()
	before := processorTime()
	guest, err := m.Start(context.Background(),
		wasport.Config{Args: words, Stdout: w, Stderr: os.Stderr, Policy: loopback()})
	if err != nil {
		tb.Fatal(err)
	}
	wait := sync.OnceValues(func() (time.Duration, error) {
		status, err := guest.Wait()
		if err == nil && status.Code != 0 {
			err = fmt.Errorf("exit status %d", status.Code)
		}
		return processorTime() - before, err
	})
	go func() {
		guest.Wait()
		w.Close()
	}()
	return &running{tb, bufio.NewScanner(r), wait, func() {
		guest.Stop(nil)
		r.Close()
		guest.Wait()
	}}
}

// processorTime is how long this process has kept processors busy.
func processorTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// loopback allows what the workloads do.
func loopback() *policy.Policy {
	var rules []policy.Rule
	for _, text := range []string{"allow connect loopback", "allow listen loopback",
		"allow resolve localhost"} {
		r, err := policy.ParseRule(text, policy.Origin{Source: "benchmark"})
		if err != nil {
			panic(err)
		}
		rules = append(rules, r)
	}
	return policy.New(rules, policy.Limits{})
}

func TestMain(m *testing.M) {
	if idleChild() {
		return
	}
	dir, err := os.MkdirTemp("", "wasport-bench")
	if err != nil {
		panic(err)
	}
	built = dir
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}
