package networktest

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/wasport/wasport/network"
)

// env is a test of one family. Its methods end the test if a call fails that must not.
type env struct {
	*testing.T
	network network.Network
	options Options
	family  network.Family
	// at is the address of the tests with port 0.
	at netip.AddrPort
}

func (e env) lacks(f Feature) bool { return slices.Contains(e.options.Lacks, f) }

var none netip.AddrPort

func one(b []byte) [][]byte { return [][]byte{b} }

func must[T any](e env) func(T, error) T {
	return func(v T, err error) T {
		e.Helper()
		e.check(err)
		return v
	}
}

func (e env) check(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// unwrapped are the errors by which callers decide how to go on, so they come as they are.
var unwrapped = []error{syscall.EAGAIN, syscall.EINPROGRESS, syscall.EALREADY, net.ErrClosed,
	os.ErrDeadlineExceeded}

// wantErr compares the error of a call.
func (e env) wantErr(call string, err, want error) {
	e.Helper()
	if !errors.Is(err, want) {
		e.Errorf("%s: got %v, want %v", call, err, want)
	} else if slices.Contains(unwrapped, want) && err != want {
		e.Errorf("%s: got %v, which wraps %v; want it as it is", call, err, want)
	}
}

// wantState compares the error of a call in a wrong state.
func (e env) wantState(call string, err, want error) {
	e.Helper()
	if !e.lacks(StateErrnos) {
		e.wantErr(call, err, want)
		return
	}
	e.wantErrno(call, err)
}

// wantErrno wants any error that a guest can be given.
func (e env) wantErrno(call string, err error) {
	e.Helper()
	if errno := syscall.Errno(0); err == nil || !errors.As(err, &errno) &&
		!errors.Is(err, net.ErrClosed) {
		e.Errorf("%s: got %v, want an errno", call, err)
	}
}

func (e env) open(typ network.Type) network.Socket {
	e.Helper()
	s, err := e.network.Open(e.family, typ)
	e.check(err)
	e.Cleanup(func() { s.Close() })
	if s.Family() != e.family || s.Type() != typ {
		e.Fatalf("got a socket of %v %v, want %v %v", s.Family(), s.Type(), e.family, typ)
	}
	return s
}

// bound returns a bound socket and its address.
func (e env) bound(typ network.Type) (network.Socket, netip.AddrPort) {
	e.Helper()
	s := e.open(typ)
	e.check(s.Bind(e.at))
	a := must[netip.AddrPort](e)(s.LocalAddr())
	if a.Port() == 0 || a.Addr() != e.at.Addr() {
		e.Fatalf("got local address %v, want %v with a port", a, e.at.Addr())
	}
	return s, a
}

// listen returns a listener and its address.
func (e env) listen() (network.Socket, netip.AddrPort) {
	e.Helper()
	l := e.open(network.Stream)
	e.check(l.Bind(e.at))
	e.check(l.Listen(16))
	return l, must[netip.AddrPort](e)(l.LocalAddr())
}

// gone returns an address where no socket is any more. Its port lies below those that systems
// choose (ip(7), ip_local_port_range), so that other programs do not get it meanwhile.
func (e env) gone(typ network.Type) netip.AddrPort {
	e.Helper()
	for range 100 {
		s := e.open(typ)
		at := netip.AddrPortFrom(e.at.Addr(), uint16(10_000+rand.IntN(20_000)))
		err := s.Bind(at)
		if err == nil && typ == network.Stream {
			err = s.Listen(1)
		}
		e.check(s.Close())
		if err == nil {
			return at
		}
	}
	e.Fatal("got no free port in 100 attempts, want one")
	return netip.AddrPort{}
}

func (e env) wait(s network.Socket, want network.Events) network.Events {
	e.Helper()
	got, err := s.Wait(want, soon())
	e.check(err)
	if got == 0 {
		e.Fatalf("wait for events %b: got none and no error", want)
	}
	return got
}

// waitFor waits until all of the events hold.
func (e env) waitFor(s network.Socket, want network.Events) {
	e.Helper()
	for end := soon(); ; {
		got := e.poll(s, want)
		if got&want == want {
			return
		}
		if _, err := s.Wait(want&^got, end); err != nil {
			e.Fatalf("wait for events %b: got %b, %v", want, got, err)
		}
	}
}

func (e env) poll(s network.Socket, want network.Events) network.Events {
	e.Helper()
	got, err := s.Poll(want)
	e.check(err)
	return got
}

// accept returns the first connection of a listener.
func (e env) accept(l network.Socket) (network.Socket, netip.AddrPort) {
	e.Helper()
	e.wait(l, network.Readable)
	c, from, err := l.Accept()
	e.check(err)
	e.Cleanup(func() { c.Close() })
	return c, from
}

// start begins a connection. It reports whether it is under way.
func (e env) start(s network.Socket, to netip.AddrPort) (underWay bool) {
	e.Helper()
	err := s.Connect(to)
	if err == nil {
		return false
	}
	e.wantErr("connect", err, syscall.EINPROGRESS)
	return true
}

// fail makes a connection that is refused, and returns the error.
func (e env) fail(s network.Socket, to netip.AddrPort) error {
	e.Helper()
	err := s.Connect(to)
	if err == syscall.EINPROGRESS {
		e.wait(s, network.Writable)
		err = s.FinishConnect()
	}
	return err
}

func (e env) connect(s network.Socket, to netip.AddrPort) {
	e.Helper()
	if e.start(s, to) {
		e.wait(s, network.Writable)
		e.check(s.FinishConnect())
	}
}

// pair returns both ends of a connection.
func (e env) pair() (client, server network.Socket) {
	e.Helper()
	l, addr := e.listen()
	client = e.open(network.Stream)
	e.connect(client, addr)
	server, _ = e.accept(l)
	e.check(l.Close())
	return client, server
}

func (e env) send(s network.Socket, text string, to netip.AddrPort) {
	e.Helper()
	if n, err := s.Send(one([]byte(text)), to); n != len(text) || err != nil {
		e.Fatalf("send %q: got %d, %v; want %d", text, n, err, len(text))
	}
}

func (e env) recv(s network.Socket, b []byte) network.Received {
	e.Helper()
	e.wait(s, network.Readable)
	r, err := s.Recv(one(b), 0)
	e.check(err)
	return r
}

// recvText receives as many bytes of a stream as text has, and compares them.
func (e env) recvText(s network.Socket, text string) {
	e.Helper()
	b := make([]byte, len(text))
	for n := 0; n < len(b); {
		r := e.recv(s, b[n:])
		if r.N == 0 {
			e.Fatalf("got the end of the stream after %q, want %q", b[:n], text)
		}
		n += r.N
	}
	if string(b) != text {
		e.Fatalf("got %q, want %q", b, text)
	}
}

// quietMoments is the number of moments without room after which a socket counts as full.
const quietMoments = 5

// fill sends until the socket takes no more, and returns the number of bytes.
func (e env) fill(s network.Socket) (n int) {
	e.Helper()
	const tooMuch = 1 << 30
	block := one(make([]byte, 1<<16))
	for {
		sent, err := s.Send(block, none)
		if err != nil {
			e.wantErr("send until full", err, syscall.EAGAIN)
			// The peer may take some of it meanwhile, as TCP does, and goroutines may pass it on.
			for quiet := 0; err != nil; quiet++ {
				if quiet == quietMoments {
					return n
				}
				if _, err = s.Wait(network.Writable, afterMoment()); err != nil {
					e.wantDeadline("wait while full", err)
				}
			}
			continue
		}
		if n += sent; n > tooMuch {
			e.Fatalf("got %d bytes sent that nobody received, want a limit", n)
		}
	}
}
