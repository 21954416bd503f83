//go:build unix

package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport"
)

// crowd is a server with many connections, which one process drives. It is compared with a server
// on Go's package net.
type crowd struct {
	name string
	// server is the environment of the process of guests: how many, and their words. others is the
	// same of Go's.
	server, others string
	ports          int // that each server prints
	// drive talks to the server, natively.
	drive func(tb testing.TB, ports []string) *program
}

func crowds() (list []crowd) {
	for _, count := range []int{1, 10, 100, 1000} {
		list = append(list, crowd{name: fmt.Sprint("guests_", count),
			server: fmt.Sprint("guests ", count, " pingpong server tcp"),
			others: fmt.Sprint("gonet ", count), ports: count,
			drive: func(tb testing.TB, ports []string) *program {
				return startDriver(tb, ports, 20_000/count+20)
			}})
	}
	return append(list, crowd{name: "poll4000_ten", server: "guests 1 manyfds serve 4000",
		others: "gonet 1", ports: 1,
		drive: func(tb testing.TB, ports []string) *program {
			return native{}.start(tb, []string{"manyfds", "drive", ports[0], "4000", "10", "1000"})
		}})
}

// BenchmarkCrowd compares guests with a server on Go's package net: guests that echo one connection
// each, all of them at once, and a guest that polls 4,000 connections of which ten talk. The
// metrics are those of BenchmarkNetwork; the native program is the one in Go.
func BenchmarkCrowd(b *testing.B) {
	for _, c := range crowds() {
		b.Run(c.name, func(b *testing.B) {
			needDescriptors(b, 9000)
			w := workload{name: c.name, rate: "/s", scale: 1}
			use := startUse(b)
			measured := runAlternately(b, func() measurement { return c.measure(b, c.others) },
				func() measurement { return c.measure(b, c.server) })
			run := w.reportMetrics(b, measured[0], measured[1])
			run.Others = use.others(b)
			record(b, "crowd", "idle", w, run)
		})
	}
}

// needDescriptors skips a benchmark that needs more descriptors than the process may open.
func needDescriptors(b *testing.B, count uint64) {
	b.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || uint64(limit.Max) < count {
		b.Skipf("no more than %d descriptors may be open (%v)", limit.Max, err)
	}
}

func (c crowd) measure(tb testing.TB, server string) measurement {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serverEnv+"="+server)
	ask, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	p := startProcess(tb, cmd)
	defer p.stop()
	var ports []string
	for range c.ports {
		ports = append(ports, p.expectLine("port"))
	}
	cpu := func() time.Duration {
		io.WriteString(ask, "cpu?\n")
		ns, err := strconv.ParseInt(p.expectLine("cpu"), 10, 64)
		if err != nil {
			tb.Fatal(err)
		}
		return time.Duration(ns)
	}
	before := cpu()
	m := c.drive(tb, ports).waitResult()
	m.peerCPU, m.cpu = m.cpu, cpu()-before
	return m
}

// Variables of the processes of a crowd, which is how this program knows that it is one.
const (
	serverEnv = "WASPORT_BENCH_SERVER"
	driverEnv = "WASPORT_BENCH_DRIVER"
)

// runCrowdChild is the main function of these processes. It reports whether this is one.
func runCrowdChild() bool {
	var err error
	if words := strings.Fields(os.Getenv(serverEnv)); len(words) > 1 {
		err = serveCrowd(words)
	} else if rounds, notNumber := strconv.Atoi(os.Getenv(driverEnv)); notNumber == nil {
		err = driveCrowd(rounds)
	} else {
		return false
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

// serveCrowd starts the servers, which print their ports, and tells the process's time for each
// line of input.
func serveCrowd(words []string) error {
	count, err := strconv.Atoi(words[1])
	if err != nil {
		return err
	}
	start := listenNatively
	if words[0] == "guests" {
		if start, err = guestStarter(words[2:]); err != nil {
			return err
		}
	}
	for range count {
		if err := start(); err != nil {
			return err
		}
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Println("cpu", processorTime().Nanoseconds())
	}
	return nil
}

// listenNatively echoes on every connection of a listener.
func listenNatively() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("port", l.Addr().(*net.TCPAddr).Port)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				for b := make([]byte, 64); ; {
					if _, err := io.ReadFull(c, b); err != nil {
						return
					}
					c.Write(b)
				}
			}()
		}
	}()
	return nil
}

// guestStarter returns a function that starts a guest with these words.
func guestStarter(words []string) (start func() error, err error) {
	ctx := context.Background()
	m, err := compileAlone(ctx, words[0]+".wasm")
	return func() error {
		_, err := m.Start(ctx, wasport.Config{Args: words, Stdout: os.Stdout, Stderr: os.Stderr,
			Policy: loopbackPolicy(), MaxSocketMemory: 4 << 30})
		return err
	}, err
}

// startDriver starts a process that talks to all ports at once.
func startDriver(tb testing.TB, ports []string, rounds int) *program {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprint(driverEnv, "=", rounds))
	cmd.Stdin = strings.NewReader(strings.Join(ports, " "))
	return startProcess(tb, cmd)
}

// driveCrowd makes round trips on a connection to each of the ports in its input.
func driveCrowd(rounds int) error {
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var connections []net.Conn
	for _, port := range strings.Fields(string(in)) {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			return err
		}
		connections = append(connections, c)
	}
	var wg sync.WaitGroup
	start := time.Now()
	for _, c := range connections {
		wg.Go(func() {
			b := make([]byte, 64)
			for range rounds {
				if _, err := c.Write(b); err != nil {
					panic(err)
				}
				if _, err := io.ReadFull(c, b); err != nil {
					panic(err)
				}
			}
		})
	}
	wg.Wait()
	fmt.Println("result", rounds*len(connections), time.Since(start).Nanoseconds())
	return nil
}
