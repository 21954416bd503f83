package integration_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network/kernel"
)

// TestCancelWhileBlocked cancels the context of guests in each call that can block.
func TestCancelWhileBlocked(t *testing.T) {
	_, silent := serveSilently(t, "127.0.0.1")
	dns, err := net.ListenPacket("udp", "127.0.0.1:0") // takes questions and answers none
	if err != nil {
		t.Fatal(err)
	}
	defer dns.Close()

	for _, args := range []string{
		"accept", "recvfrom", "poll", "select", "read", "sleep",
		"connect 127.0.0.1 " + listenFull(t), "recv 127.0.0.1 " + silent, "send 127.0.0.1 " +
			silent,
		"resolve slow.test",
	} {
		t.Run(strings.Fields(args)[0], func(t *testing.T) {
			checkWithin(t, func() []timing {
				return []timing{cancelBlocked(t, dns.LocalAddr().String(), args)}
			}, bound{"the end", 1000})
			waitUntil(t, "no goroutine of a guest is left", noGuestGoroutines)
		})
	}
}

// cancelBlocked has a guest block in a call, and returns how long its cancellation takes.
func cancelBlocked(t *testing.T, dns, args string) timing {
	stdin, keep, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer keep.Close()
	defer stdin.Close()
	ctx, cancel := context.WithCancelCause(context.Background())
	g := startGuestWith(t, ctx, wasport.Config{
		Stdin:   stdin,
		Network: kernel.New(kernel.Config{Server: dns}),
		Policy: testutil.Policy(t, "allow connect loopback", "allow listen loopback",
			"allow resolve *"),
	}, "block", strings.Fields(args)...)
	for g.readLine() != "blocking" {
	}
	yieldToGuest(t)
	reason := errors.New("enough")
	w := startStopwatch()
	cancel(reason)
	_, err = g.handle.Wait()
	took := w.stop()
	if err != reason {
		t.Errorf("got %v, want %v", err, reason)
	}
	return took
}

// TestCancelClosesListener cancels guests that listen. Once Wait returns, the address is free.
func TestCancelClosesListener(t *testing.T) {
	host, dirs := t.TempDir(), make([]wasport.Dir, 500) // which take a while to close
	for i := range dirs {
		dirs[i] = wasport.Dir{Host: host, Guest: fmt.Sprint("/", i)}
	}
	for range 10 {
		ctx, cancel := context.WithCancel(context.Background())
		g := startGuestWith(t, ctx, wasport.Config{Policy: loopbackPolicy(t), Dirs: dirs}, "block",
			"accept")
		at := g.readListenAddr()
		g.expectLines("blocking")
		cancel()
		g.handle.Wait()
		l, err := net.Listen("tcp", at.String())
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
}

// yieldToGuest gives the guest, which has just printed "blocking", time to reach its call. There is
// nothing to wait for: the guest must end in the call as well as just before it.
func yieldToGuest(testing.TB) {
	for range 1000 {
		runtime.Gosched()
	}
}

// listenFull returns the port of a listener whose backlog is full (listen(2)).
func listenFull(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	at := net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: sa.(*syscall.SockaddrInet4).Port}
	for late := 0; late < 2; { // fill the queue; a busy machine may hold up one connection
		c, err := net.DialTimeout("tcp", at.String(), 200*time.Millisecond)
		if err != nil {
			late++
			continue
		}
		late = 0
		t.Cleanup(func() { c.Close() })
	}
	_, port, _ := net.SplitHostPort(at.String())
	return port
}

// TestCancelWhileComputing ends guests that compute.
func TestCancelWhileComputing(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	g := startGuestWith(t, ctx, wasport.Config{}, "spin")
	g.readLine()
	cancel()
	if _, err := g.handle.Wait(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	g = startGuestWith(t, context.Background(), wasport.Config{MaxCPU: 20 * time.Millisecond},
		"spin")
	g.readLine()
	if _, err := g.handle.Wait(); err != wasport.ErrCPU {
		t.Errorf("got %v, want %v", err, wasport.ErrCPU)
	}
}

// TestTrapReasons runs guests that trap, and compares each trap's reason.
func TestTrapReasons(t *testing.T) {
	for _, test := range []struct{ kind, reason string }{
		{"unreachable", "unreachable"}, {"memory", "out of bounds memory access"},
		{"divide", "integer divide by zero"},
		{"null-call", ""}, {"signature", "indirect call type mismatch"}, {"abort", "unreachable"},
	} {
		t.Run(test.kind, func(t *testing.T) {
			g := startGuest(t, "trap", test.kind)
			g.expectLines("trapping")
			_, err := g.handle.Wait()
			var trap *wasport.Trap
			if !errors.As(err, &trap) || !strings.Contains(trap.Reason, test.reason) ||
				!strings.Contains(trap.Stack, "main") {
				t.Errorf("got %v, want a trap with reason %q and a stack", err, test.reason)
			}
		})
	}
	t.Run("recursion", func(t *testing.T) {
		g := startGuest(t, "recurse")
		g.expectLines("recursing")
		var trap *wasport.Trap
		if _, err := g.handle.Wait(); !errors.As(err, &trap) || trap.Reason != "stack overflow" {
			t.Errorf("got %v, want a stack overflow", err)
		}
	})
}
