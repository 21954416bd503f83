package dial_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/dial"
)

var (
	nowhere = netip.AddrPort{}
	target  = netip.MustParseAddrPort("192.0.2.1:80")
)

func wantErr(t testing.TB, call string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", call, err, want)
	}
}

// connect opens a stream of a Network with a DialFunc, and connects it.
func connect(t *testing.T, f dial.DialFunc) (network.Socket, error) {
	t.Helper()
	s, err := dial.New(dial.Config{DialContext: f}).Open(network.IPv4, network.Stream)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	wantErr(t, "connect", s.Connect(target), syscall.EINPROGRESS)
	if _, err := s.Wait(network.Writable, time.Now().Add(testTimeout)); err != nil {
		t.Fatal(err)
	}
	return s, s.FinishConnect()
}

// pipe connects to one end of a net.Pipe, which has neither an address of IP nor CloseWrite, as the
// channels of SSH have no deadlines.
func pipe(t *testing.T) (s network.Socket, peer net.Conn) {
	t.Helper()
	ours, theirs := net.Pipe()
	s, err := connect(t, func(context.Context, string, string) (net.Conn, error) {
		return struct{ net.Conn }{ours}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() })
	return s, theirs
}

// TestErrorsOfDialContext maps errors to errnos.
func TestErrorsOfDialContext(t *testing.T) {
	for _, c := range []struct {
		err  error
		want syscall.Errno
	}{
		{&net.OpError{Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
			syscall.ECONNREFUSED},
		{context.DeadlineExceeded, syscall.ETIMEDOUT}, {os.ErrDeadlineExceeded, syscall.ETIMEDOUT},
		{&net.DNSError{IsTimeout: true}, syscall.ETIMEDOUT},
		{&net.DNSError{IsNotFound: true}, syscall.EHOSTUNREACH},
		{fmt.Errorf("x: %w", syscall.ENETUNREACH), syscall.ENETUNREACH},
		{errors.New("boom"), syscall.EHOSTUNREACH}, {syscall.EAGAIN, syscall.ETIMEDOUT},
		{syscall.EINPROGRESS, syscall.EHOSTUNREACH}, {syscall.Errno(0), syscall.EHOSTUNREACH},
		{net.ErrClosed, syscall.ECONNABORTED}, {io.ErrClosedPipe, syscall.EPIPE},
	} {
		t.Run(c.err.Error(), func(t *testing.T) {
			_, err := connect(t, func(_ context.Context, network, address string) (net.Conn,
				error) {
				if network != "tcp" || address != target.String() {
					t.Errorf("got %s %s, want tcp %v", network, address, target)
				}
				return nil, c.err
			})
			if err != c.want {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestNetworkWithoutFunctions(t *testing.T) {
	n := dial.New(dial.Config{})
	s, err := n.Open(network.IPv4, network.Stream)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantErr(t, "bind to nothing in particular", s.Bind(netip.MustParseAddrPort("0.0.0.0:0")), nil)
	wantErr(t, "bind", s.Bind(target), syscall.EOPNOTSUPP)
	wantErr(t, "listen", s.Listen(1), syscall.EOPNOTSUPP)
	wantErr(t, "connect", s.Connect(target), syscall.ENETUNREACH)
	_, err = n.Open(network.IPv6, network.Datagram)
	wantErr(t, "datagrams", err, syscall.EPROTONOSUPPORT)
	_, err = n.LookupAddrs(t.Context(), network.AnyFamily, "a.test")
	wantErr(t, "lookup", err, syscall.EINVAL)
	if !n.ResolvesRemotely() {
		t.Error("got names resolved here, want by DialContext")
	}
}

// TestConnWithoutHalfClose uses a connection of which nothing but net.Conn is known.
func TestConnWithoutHalfClose(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	s, peer := pipe(t)
	wantErr(t, "half-close", s.Shutdown(network.ShutWrite), syscall.EOPNOTSUPP)
	if a, err := s.LocalAddr(); a != netip.MustParseAddrPort("0.0.0.0:0") || err != nil {
		t.Errorf("got local address %v, %v, want the unspecified one", a, err)
	}
	if a, err := s.RemoteAddr(); a != target || err != nil {
		t.Errorf("got peer %v, %v, want %v", a, err, target)
	}
	words := [][]byte{[]byte("last "), []byte("words")}
	if n, err := s.Send(words, nowhere); n != 10 || err != nil {
		t.Fatalf("got %d, %v, want 10", n, err)
	}
	wantErr(t, "close", s.Close(), nil) // what was sent is still written
	if got, err := io.ReadAll(peer); string(got) != "last words" || err != nil {
		t.Errorf("got %q, %v, want all that was sent", got, err)
	}
}

// TestCloseDuringDial ends the context of a connect that is under way, and closes a connection that
// comes too late.
func TestCloseDuringDial(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	entered, closed := make(chan struct{}), make(chan struct{})
	n := dial.New(dial.Config{DialContext: func(ctx context.Context, _, _ string) (net.Conn,
		error) {
		close(entered)
		<-ctx.Done()
		return closeFunc{func() { close(closed) }}, nil
	}})
	s, err := n.Open(network.IPv4, network.Stream)
	if err != nil {
		t.Fatal(err)
	}
	wantErr(t, "connect", s.Connect(target), syscall.EINPROGRESS)
	<-entered
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := s.Wait(network.Writable, time.Time{})
		wantErr(t, "wait", err, net.ErrClosed)
	})
	wantErr(t, "close", s.Close(), nil)
	<-closed
	wg.Wait()
}

// closeFunc is a connection that calls a function when it is closed.
type closeFunc struct{ f func() }

func (closeFunc) Read([]byte) (int, error)         { select {} }
func (closeFunc) Write(b []byte) (int, error)      { return len(b), nil }
func (c closeFunc) Close() error                   { c.f(); return nil }
func (closeFunc) LocalAddr() net.Addr              { return nil }
func (closeFunc) RemoteAddr() net.Addr             { return nil }
func (closeFunc) SetDeadline(time.Time) error      { return syscall.ENOTSUP }
func (closeFunc) SetReadDeadline(time.Time) error  { return syscall.ENOTSUP }
func (closeFunc) SetWriteDeadline(time.Time) error { return syscall.ENOTSUP }

// hostileConn has functions for what it reads and writes.
type hostileConn struct {
	closeFunc
	read, write func([]byte) (int, error)
}

func (h hostileConn) Read(b []byte) (int, error)  { return h.read(b) }
func (h hostileConn) Write(b []byte) (int, error) { return h.write(b) }

// TestPanicsOfProgram has each function and method panic, or return what it must not. The next call
// of the socket panics with the value and the stack.
func TestPanicsOfProgram(t *testing.T) {
	boom := errors.New("boom")
	block := func([]byte) (int, error) { select {} }
	conn := func(read, write func([]byte) (int, error)) dial.DialFunc {
		return func(context.Context, string, string) (net.Conn, error) {
			return hostileConn{closeFunc{func() {}}, read, write}, nil
		}
	}
	for name, f := range map[string]dial.DialFunc{
		"DialContext": func(context.Context, string, string) (net.Conn, error) {
			panic(boom)
		},
		"no connection": func(context.Context, string, string) (net.Conn, error) {
			return nil, nil
		},
		"Read":                conn(func([]byte) (int, error) { panic(boom) }, block),
		"Read of too much":    conn(func(b []byte) (int, error) { return len(b) + 1, nil }, block),
		"Read of less than 0": conn(func([]byte) (int, error) { return -1, nil }, block),
		"Write":               conn(block, func([]byte) (int, error) { panic(boom) }),
		"Write of too much":   conn(block, func(b []byte) (int, error) { return len(b) + 1, nil }),
		"Write of too little": conn(block, func(b []byte) (int, error) { return len(b) - 1, nil }),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := dial.New(dial.Config{DialContext: f}).Open(network.IPv4, network.Stream)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if p, ok := recover().(*outside.Panic); !ok || p.Stack == "" {
					t.Errorf("got the panic %v, want one with the stack of the first", p)
				}
				wantErr(t, "close", s.Close(), nil)
			}()
			s.Connect(target)
			for end := time.Now().Add(testTimeout); time.Now().Before(end); {
				s.Wait(network.Readable|network.Writable, time.Now().Add(time.Millisecond))
				s.Send([][]byte{[]byte("hello")}, nowhere)
			}
			t.Error("got no panic, want one")
		})
	}
}

// TestReadErrors ends a stream by errors of the connection.
func TestReadErrors(t *testing.T) {
	for _, c := range []struct{ err, want error }{
		{io.EOF, nil}, {io.ErrUnexpectedEOF, syscall.ECONNRESET},
		{errors.New("boom"), syscall.ECONNRESET}, {syscall.EAGAIN, syscall.ETIMEDOUT},
		{os.ErrDeadlineExceeded, syscall.ETIMEDOUT}, {net.ErrClosed, syscall.ECONNABORTED},
	} {
		t.Run(c.err.Error(), func(t *testing.T) {
			testutil.NoGoroutineLeak(t)
			s, err := connect(t, func(context.Context, string, string) (net.Conn, error) {
				sent := false
				return hostileConn{closeFunc{func() {}}, func(b []byte) (int, error) {
					if sent {
						return 0, c.err
					}
					sent = true
					return copy(b, "hello"), nil
				}, func(b []byte) (int, error) { return len(b), nil }}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 8)
			for _, want := range []string{"hello", ""} {
				if _, err := s.Wait(network.Readable, time.Now().Add(testTimeout)); err != nil {
					t.Fatal(err)
				}
				r, err := s.Recv([][]byte{b}, 0)
				if want != "" && err != nil || want == "" && err != c.want ||
					string(b[:r.N]) != want {
					t.Errorf("got %q, %v, want %q, then %v", b[:r.N], err, want, c.want)
				}
			}
			s.Close()
		})
	}
}

// TestUnsent closes a stream with data for a peer that does not read, then resets it, or lets the
// peer read.
func TestUnsent(t *testing.T) {
	for _, reset := range []bool{true, false} {
		t.Run(fmt.Sprint("reset ", reset), func(t *testing.T) {
			testutil.NoGoroutineLeak(t)
			s, peer := pipe(t)
			if s.(network.Buffered).Unsent() != nil {
				t.Error("got unsent data before any were sent, want none")
			}
			s.Send([][]byte{[]byte("hello")}, nowhere)
			u := s.(network.Buffered).Unsent()
			if u == nil {
				t.Fatal("got no unsent data, want some")
			}
			s.Close()
			u.End()
			if n, err := u.Memory(); n != 5 || err != nil {
				t.Errorf("got %d bytes, %v, want 5", n, err)
			}
			if reset {
				wantErr(t, "reset", u.Reset(), nil)
				if n, err := u.Memory(); n != 0 || err != nil {
					t.Errorf("after the reset: got %d bytes, %v, want none", n, err)
				}
			}
			got, err := io.ReadAll(peer)
			// A reset may come too late for the write that is under way.
			if err != nil || string(got) != "hello" && (!reset || len(got) != 0) {
				t.Errorf("got %q, %v, want hello, or nothing after a reset", got, err)
			}
			if n, err := u.Memory(); n != 0 || err != nil {
				t.Errorf("afterwards: got %d bytes, %v, want 0", n, err)
			}
		})
	}
}

// TestListenerOfProgram has a listener fail for a while, and then for good.
func TestListenerOfProgram(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	accepts := make(chan acceptResult)
	n := dial.New(dial.Config{Listen: func(string, string) (net.Listener, error) {
		return fakeListener{accepts, make(chan struct{})}, nil
	}})
	l, err := n.Open(network.IPv4, network.Stream)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	wantErr(t, "listen", l.Listen(2), nil)
	ours, theirs := net.Pipe()
	defer theirs.Close()
	accepts <- acceptResult{nil, syscall.EMFILE}
	accepts <- acceptResult{ours, nil}
	if _, err := l.Wait(network.Readable, time.Now().Add(testTimeout)); err != nil {
		t.Fatal(err)
	}
	c, from, err := l.Accept()
	if err != nil || from.IsValid() {
		t.Fatalf("got a connection from %v, %v, want one without an address", from, err)
	}
	c.Close()
	accepts <- acceptResult{nil, net.ErrClosed}
	if _, err := l.Wait(network.Readable, time.Now().Add(testTimeout)); err != nil {
		t.Fatal(err)
	}
	_, _, err = l.Accept()
	wantErr(t, "accept", err, syscall.ECONNABORTED)
}

type acceptResult struct {
	conn net.Conn
	err  error
}

type fakeListener struct {
	results chan acceptResult
	closed  chan struct{}
}

func (f fakeListener) Accept() (net.Conn, error) {
	select {
	case r := <-f.results:
		return r.conn, r.err
	case <-f.closed:
		return nil, net.ErrClosed
	}
}

func (f fakeListener) Close() error { close(f.closed); return nil }
func (fakeListener) Addr() net.Addr { return &net.UnixAddr{Name: "x"} }
