//go:build unix

package bench

import (
	"bufio"
	"context"
	"flag"
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
	"github.com/wasport/wasport/bench/internal/results"
	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

// measurement is the result of a program: its units of work, their duration, the processor time of
// the program and of its peer, and the time within which all units but one in a hundred were done,
// or 0 if the program does not tell. calls are its system calls, if they were counted.
type measurement struct {
	units                   float64
	wall, cpu, peerCPU, p99 time.Duration
	calls                   float64
}

// perUnit is the time that a unit took.
func (m measurement) perUnit() float64 { return float64(m.wall) / m.units }

func (m measurement) cpuPerUnit() float64 { return float64(m.cpu) / m.units }

// bothCPUPerUnit is the processor time of both ends. A program that receives fast shifts work from
// one to the other, so that the time of one alone says little.
func (m measurement) bothCPUPerUnit() float64 { return float64(m.cpu+m.peerCPU) / m.units }

// program is a running program: a process, or a guest in this one.
type program struct {
	tb    testing.TB
	lines *bufio.Scanner
	wait  func() (cpu time.Duration, err error) // waits for its end
	stop  func()
}

// host runs programs, each given by its words.
type host interface {
	start(tb testing.TB, words []string) *program
}

// expect returns the next line that starts with a word, without it.
func (r *program) expectLine(word string) string {
	r.tb.Helper()
	for r.lines.Scan() {
		if rest, ok := strings.CutPrefix(r.lines.Text(), word+" "); ok {
			return rest
		}
	}
	_, err := r.wait()
	r.tb.Fatalf("got the end of the program, %v, want a line %q", err, word)
	return ""
}

// result waits for the program's end.
func (r *program) waitResult() measurement {
	r.tb.Helper()
	var m measurement
	var ns, p99 int64
	if n, err := fmt.Sscan(r.expectLine("result"), &m.units, &ns, &p99); n < 2 {
		r.tb.Fatal(err)
	}
	for r.lines.Scan() {
	}
	m.wall, m.p99 = time.Duration(ns), time.Duration(p99)
	var err error
	if m.cpu, err = r.wait(); err != nil {
		r.tb.Fatal(err)
	}
	return m
}

// native runs programs as processes.
type native struct{}

// buildDir is the directory of the programs that were built, for all benchmarks.
var buildDir string

// buildNative compiles a workload for this machine, or a program below src that is native only.
func buildNative(tb testing.TB, name string) string {
	tb.Helper()
	out := filepath.Join(buildDir, name)
	if err := os.MkdirAll(filepath.Dir(out), 0o777); err != nil {
		tb.Fatal(err)
	}
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
			err = os.WriteFile(filepath.Join(buildDir, f), text, 0o666)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if msg, err := exec.Command(cc, "-std=gnu11", "-O2", "-pthread", out+".c", "-o",
		out).CombinedOutput(); err != nil {
		tb.Fatalf("got %v, want %s.c compiled\n%s", err, name, msg)
	}
	return out
}

func (native) start(tb testing.TB, words []string) *program {
	tb.Helper()
	command := native{}.command(tb, words)
	return startProcess(tb, exec.Command(command[0], command[1:]...))
}

// command returns the words of a process that runs a program.
func (native) command(tb testing.TB, words []string) []string {
	tb.Helper()
	return append([]string{buildNative(tb, words[0])}, words[1:]...)
}

func startProcess(tb testing.TB, cmd *exec.Cmd) *program {
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
	stop := func() {
		cmd.Process.Kill()
		wait()
	}
	tb.Cleanup(stop) // A program that waits for one that failed would keep the output open.
	return &program{tb, bufio.NewScanner(out), wait, stop}
}

// guestHost runs programs as guests of a runtime.
type guestHost struct {
	runtime *wasport.Runtime
	modules map[string]*wasport.Module
	dir     string // of the modules, with a slash, or empty
	// network is that of the guests; nil = the machine's.
	network network.Network
	without []string // what the guests do without
}

func newGuestHost(tb testing.TB, c wasport.RuntimeConfig) *guestHost {
	tb.Helper()
	rt, err := wasport.NewRuntime(context.Background(), c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { rt.Close(context.Background()) })
	return &guestHost{runtime: rt, modules: make(map[string]*wasport.Module)}
}

// module compiles a program, once; without its module, a workload.
func (g *guestHost) compileModule(tb testing.TB, name string, wasm []byte) *wasport.Module {
	tb.Helper()
	if m, ok := g.modules[name]; ok {
		return m
	}
	var err error
	if wasm == nil {
		wasm, err = Modules.ReadFile(g.dir + name + ".wasm")
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

func (g *guestHost) start(tb testing.TB, words []string) *program {
	tb.Helper()
	m := g.compileModule(tb, words[0], nil)
	r, w := io.Pipe()
	before := processorTime()
	guest, err := m.Start(context.Background(),
		wasport.Config{Args: words, Stdout: w, Stderr: os.Stderr, Policy: loopbackPolicy(),
			Network: g.network, Without: g.without})
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
	return &program{tb, bufio.NewScanner(r), wait, func() {
		guest.Stop(nil)
		r.Close()
		guest.Wait()
	}}
}

// processorTime returns the user and system time of this process (getrusage(2)).
func processorTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// loopbackPolicy allows the workloads to use loopback.
func loopbackPolicy() *policy.Policy {
	var rules []policy.Rule
	for _, text := range []string{"allow connect loopback", "allow listen loopback",
		"allow resolve localhost", "allow resolve service.test"} {
		r, err := policy.ParseRule(text, policy.Origin{Source: "benchmark"})
		if err != nil {
			panic(err)
		}
		rules = append(rules, r)
	}
	return policy.New(rules, policy.Limits{})
}

func TestMain(m *testing.M) {
	if runIdleChild() || runSpinner() || runCrowdChild() {
		return
	}
	flag.Parse()
	if *recordFile != "" {
		if err := results.Check(*recordFile); err != nil {
			fmt.Fprintf(os.Stderr, "-record %s: %v\n", *recordFile, err)
			os.Exit(2)
		}
	}
	dir, err := os.MkdirTemp("", "wasport-bench")
	if err != nil {
		panic(err)
	}
	buildDir = dir
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}
