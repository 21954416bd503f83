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
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasport/wasport"
)

// Variables of the processes of a crowd, which is how this program knows that it is one.
const (
	serverEnv = "WASPORT_BENCH_SERVER"
	driverEnv = "WASPORT_BENCH_DRIVER"
)

// runCrowdChild is the main function of these processes. It reports whether this is one.
func runCrowdChild() bool {
	var err error
	var connections, rounds int
	if words := strings.Fields(os.Getenv(serverEnv)); len(words) > 0 {
		err = serveCrowd(words)
	} else if n, _ := fmt.Sscan(os.Getenv(driverEnv), &connections, &rounds); n == 2 {
		err = driveCrowd(connections, rounds)
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
	start, count := listenNatively, 1
	if words[0] == "guests" || words[0] == "without" {
		var err error
		if count, err = strconv.Atoi(words[1]); err != nil {
			return err
		}
		var without []string
		if words[0] == "without" {
			without = []string{"all"}
		}
		if start, err = guestStarter(words[2:], without); err != nil {
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

// guestStarter returns a function that starts a guest with these words and without some shortcuts.
func guestStarter(words, without []string) (start func() error, err error) {
	ctx := context.Background()
	m, err := compileAlone(ctx, words[0]+".wasm")
	// A file would be duplicated for each guest, of which there may be more than descriptors.
	out, errs := struct{ io.Writer }{os.Stdout}, struct{ io.Writer }{os.Stderr}
	return func() error {
		_, err := m.Start(ctx, wasport.Config{Args: words, Stdout: out, Stderr: errs,
			Policy: loopbackPolicy(), MaxSocketMemory: 4 << 30, Without: without})
		return err
	}, err
}

// startDriver starts a process that makes round trips on connections to the ports in turn.
func startDriver(tb testing.TB, ports []string, connections, rounds int) (*program,
	io.WriteCloser) {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprint(driverEnv, "=", connections, " ", rounds))
	p, input := startWithInput(tb, cmd)
	if _, err := fmt.Fprintln(input, strings.Join(ports, " ")); err != nil {
		tb.Fatal(err)
	}
	return p, input
}

// driveCrowd connects to the ports in the first line of its input, waits for the input's end, and
// makes round trips on all connections at once.
func driveCrowd(count, rounds int) error {
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadString('\n')
	if err != nil {
		return err
	}
	ports := strings.Fields(line)
	connections := make([]net.Conn, count)
	for i := range connections {
		connections[i], err = net.Dial("tcp", "127.0.0.1:"+ports[i%len(ports)])
		if err != nil {
			return err
		}
	}
	fmt.Println("connected", count)
	if _, err := io.Copy(io.Discard, in); err != nil {
		return err
	}
	var wg sync.WaitGroup
	took := make([]time.Duration, count*rounds)
	start := time.Now()
	for i, c := range connections {
		wg.Go(func() { roundTrips(c, took[i*rounds:(i+1)*rounds]) })
	}
	wg.Wait()
	all := time.Since(start)
	slices.Sort(took)
	fmt.Println("result", len(took), all.Nanoseconds(), took[len(took)*99/100].Nanoseconds())
	return nil
}

// roundTrips makes as many round trips as there are times to take.
func roundTrips(c net.Conn, took []time.Duration) {
	b := make([]byte, 64)
	for i := range took {
		start := time.Now()
		_, err := c.Write(b)
		if err == nil {
			_, err = io.ReadFull(c, b)
		}
		if err != nil {
			panic(err)
		}
		took[i] = time.Since(start)
	}
}
