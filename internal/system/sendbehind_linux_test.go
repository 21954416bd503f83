//go:build !portable

package system

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/internal/monotonic"
	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// sender is a thread of a guest that has one end of two connections; peers are the other ends.
type sender struct {
	*Thread
	t     testing.TB
	fds   [2]int32
	peers [2]*net.TCPConn

	// told counts the bytes of the sequence that the guest was told are sent, and before those that
	// the kernel had when the connection was made.
	told   [2]int
	before [2]int
	// reset tells that the peer has reset the connection.
	reset [2]bool
}

var importName = "import"

func newSender(t testing.TB, without ...string) *sender {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := &sender{Thread: newKernelThread(t, without), t: t}
	for i := range s.fds {
		s.fds[i] = s.open(network.Stream, l.Addr())
		peer, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { peer.Close() })
		s.peers[i] = peer.(*net.TCPConn)
		s.before[i] = s.inKernel(i)
	}
	return s
}

// newKernelThread makes the only thread of a guest with the host's network.
func newKernelThread(t testing.TB, without []string) *Thread {
	t.Helper()
	return newThread(t, Config{Network: kernel.New(kernel.Config{}),
		Without: append([]string{}, without...)})
}

// open opens a socket that is connected to an address.
func (s *sender) open(typ network.Type, to net.Addr) int32 {
	s.t.Helper()
	fd, err := s.Open(network.IPv4, typ)
	if err == nil {
		err = s.Connect(fd, netip.MustParseAddrPort(to.String()))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return fd
}

// send sends the next n bytes of a sequence, as an import does.
func (s *sender) send(i, n int) error {
	s.EnterSend(&importName)
	defer s.LeaveCall()
	sent, err := s.Send(s.fds[i], [][]byte{sequence(s.told[i], n)}, noAddress, DontWait)
	s.told[i] += sent
	return err
}

func (s *sender) mustSend(i, n int) {
	s.t.Helper()
	if err := s.send(i, n); err != nil {
		s.t.Fatalf("Send: got %v, want success", err)
	}
}

// call does something by another import.
func (s *sender) call(f func()) {
	s.EnterCall(&importName)
	defer s.LeaveCall()
	f()
}

// startHolding sends until the socket holds some bytes. The timer may flush them before the look.
func (s *sender) startHolding(i int) {
	s.t.Helper()
	for range 100 {
		for range minSendRun + 3 {
			s.mustSend(i, 100)
		}
		if s.held(i) > 0 {
			return
		}
	}
	s.t.Fatal("got no byte held after runs of sends, want some")
}

// held returns how many bytes the kernel has yet to be given.
func (s *sender) held(i int) int {
	if s.reset[i] {
		return 0
	}
	return s.told[i] - (s.inKernel(i) - s.before[i])
}

// inKernel returns how many bytes the kernel was given.
func (s *sender) inKernel(i int) (n int) {
	s.t.Helper()
	_, socket, err := s.socketAt(s.fds[i])
	if err != nil {
		s.t.Fatal(err)
	}
	socket.Socket.Readiness().Control(func(fd uintptr) {
		for acked := -1; ; {
			info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
			if err != nil {
				s.t.Fatal(err)
			}
			if int(info.Bytes_acked) == acked {
				return
			}
			queued, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
			if err != nil {
				s.t.Fatal(err)
			}
			acked = int(info.Bytes_acked)
			n = acked + queued
		}
	})
	return n
}

// readAll reads a peer's side to its end.
func (s *sender) readAll(i int) {
	s.t.Helper()
	got, err := io.ReadAll(s.peers[i])
	if err != nil || !bytes.Equal(got, sequence(0, s.told[i])) {
		s.t.Errorf("the peer of %d: got %d bytes, %v, want the %d that the guest sent", i, len(got),
			err, s.told[i])
	}
}

// TestHeldSendsGoFirst does something after sends were held, and looks for their bytes in the
// kernel before the effect.
func TestHeldSendsGoFirst(t *testing.T) {
	for name, do := range map[string]func(*sender){
		"another import": func(s *sender) { s.call(func() {}) },
		"a tick":         func(s *sender) { s.Tick() },
		"many steps after holdFor": func(s *sender) {
			s.behind.timer.Stop()
			for since := monotonic.Now(); monotonic.Since(since) < holdFor; {
			}
			s.ChargeSteps(tickSteps)
		},
		"another socket":          func(s *sender) { s.mustSend(1, 1) },
		"a large send":            func(s *sender) { s.mustSend(0, sendBehindMax+1) },
		"a wait":                  func(s *sender) { s.Sleep(nil, 1) },
		"a wait for a descriptor": func(s *sender) { s.Await(s.fds[1], Writing) },
		"return to the embedder":  func(s *sender) { s.LeaveGuest(); s.EnterGuest() },
		"return to a host function": func(s *sender) {
			s.EndCall(s.BeginCall(context.Background()))
		},
		"a write to standard output": func(s *sender) {
			s.EnterSend(&importName)
			s.Write(1, [][]byte{[]byte("x")})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.startHolding(0)
			do(s)
			if n := s.held(0); n != 0 {
				t.Errorf("got %d bytes held, want none", n)
			}
		})
	}
}

// TestStepsOfSendsDoNotFlush charges the steps of a tick while a send is held. A component makes
// three calls for each piece, so a flush at each tick would come after every tenth piece. It tries
// again if that takes longer than holdFor.
func TestStepsOfSendsDoNotFlush(t *testing.T) {
	s := newSender(t)
	go io.Copy(io.Discard, s.peers[0])
	for range 1000 {
		s.startHolding(0)
		since, _ := s.behind.socket.Load().behind.HeldSince()
		s.ChargeSteps(tickSteps)
		n := s.held(0)
		if monotonic.Since(since) < holdFor {
			if n == 0 {
				t.Error("got nothing held after the steps of a tick, want the send")
			}
			return
		}
	}
	t.Error("got no tick within holdFor, want one")
}

// TestHeldSendsGoAtEnd ends a guest that has been told that bytes are sent.
func TestHeldSendsGoAtEnd(t *testing.T) {
	for name, end := range map[string]func(*sender){
		"killed by another goroutine": func(s *sender) {
			left := 0
			s.OnEnd(func(error) { left = s.held(0) }) // comes before any socket is closed
			done := make(chan struct{})
			go func() { defer close(done); s.Kill(errors.New("killed")) }()
			if <-done; left != 0 {
				s.t.Errorf("got %d bytes held at the guest's end, want none", left)
			}
		},
		"end of the thread and the guest": func(s *sender) { s.Thread.Close(); s.Guest.Close() },
		"a closed descriptor":             func(s *sender) { s.CloseFD(s.fds[0]) },
		"the end of the stream": func(s *sender) {
			s.Shutdown(s.fds[0], network.ShutWrite)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.startHolding(0)
			end(s)
			s.readAll(0)
		})
	}
}

// TestKillWhileSending kills a guest that sends as fast as it can. The peer gets each byte that the
// guest was told of.
func TestKillWhileSending(t *testing.T) {
	for range 20 {
		s := newSender(t)
		var received []byte
		var err error
		started, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			first := make([]byte, 1)
			if _, err = io.ReadFull(s.peers[0], first); err == nil {
				close(started)
				received, err = io.ReadAll(s.peers[0])
				received = append(first, received...)
			}
		}()
		go func() { <-started; s.Kill(errors.New("killed")) }()
		for s.Err() == nil {
			s.send(0, 100)
			s.ChargeSteps(1)
		}
		s.Guest.Close()
		<-ended
		if err != nil || !bytes.Equal(received, sequence(0, s.told[0])) {
			t.Fatalf("got %d bytes, %v, want the %d that the guest was told of", len(received), err,
				s.told[0])
		}
	}
}

// TestHeldSendsGoByThemselves holds bytes for a guest that does nothing from then on.
func TestHeldSendsGoByThemselves(t *testing.T) {
	s := newSender(t)
	s.startHolding(0)
	got := make([]byte, s.told[0])
	if _, err := io.ReadFull(s.peers[0], got); err != nil {
		t.Fatal(err)
	}
	s.startHolding(0) // the timer comes again
	if _, err := io.ReadFull(s.peers[0], make([]byte, s.told[0]-len(got))); err != nil {
		t.Fatal(err)
	}
}

// TestSendsAreNotHeld has sends that must reach the kernel at once.
func TestSendsAreNotHeld(t *testing.T) {
	for name, prepare := range map[string]func(*sender){
		"with TCP_NODELAY": func(s *sender) {
			s.call(func() { s.SetOption(s.fds[0], network.NoDelay, 1) })
		},
		"with a small buffer": func(s *sender) {
			s.call(func() { s.SetOption(s.fds[0], network.SendBuffer, 4096) })
		},
		"of a guest with threads": func(s *sender) { s.NewThread(sched.New()).Close() },
		"by another import":       func(s *sender) { s.call(func() { s.behind.run = maxSendRun }) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.startHolding(0) // the socket's past does not matter
			prepare(s)
			for range 2 * minSendRun {
				if name == "by another import" {
					s.EnterCall(&importName)
					s.behind.run = maxSendRun
					n, err := s.Send(s.fds[0], [][]byte{sequence(s.told[0], 10)}, noAddress, 0)
					if err != nil {
						t.Fatal(err)
					}
					s.told[0] += n
				} else {
					s.mustSend(0, 10)
				}
				if n := s.held(0); n != 0 {
					t.Fatalf("got %d bytes held, want none", n)
				}
			}
		})
	}
	for _, name := range []string{"send-behind", "all"} {
		t.Run("without "+name, func(t *testing.T) {
			s := newSender(t, name)
			for range 2 * minSendRun {
				if s.mustSend(0, 10); s.held(0) != 0 {
					t.Fatalf("got %d bytes held, want none", s.held(0))
				}
			}
		})
	}
}

// TestSendsAreHeldWhileThereIsRoom sends to a peer that does not read. The guest must be told of
// exactly the bytes that the peer can read later, and of EAGAIN.
func TestSendsAreHeldWhileThereIsRoom(t *testing.T) {
	s := newSender(t)
	var err error
	for err == nil {
		err = s.send(0, 1000)
	}
	if err != syscall.EAGAIN {
		t.Fatalf("got %v, want EAGAIN once the buffers are full", err)
	}
	if n := s.held(0); n != 0 {
		t.Errorf("got %d bytes held at EAGAIN, want none", n)
	}
	s.call(func() { s.Shutdown(s.fds[0], network.ShutWrite) })
	s.readAll(0)
}

// TestErrorOfHeldSends resets a connection while bytes are held. The next call that can tell gets
// the error, as it would for bytes in the kernel's buffer.
func TestErrorOfHeldSends(t *testing.T) {
	for name, tell := range map[string]func(*sender) error{
		"send": func(s *sender) error { return s.send(0, 1) },
		"SO_ERROR": func(s *sender) (err error) {
			s.call(func() {
				var e int64
				if e, err = s.Option(s.fds[0], network.PendingError); e != 0 {
					err = syscall.Errno(e)
				}
			})
			return err
		},
		"receive": func(s *sender) (err error) {
			s.call(func() { _, err = s.Recv(s.fds[0], [][]byte{make([]byte, 1)}, DontWait) })
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.startHolding(0)
			s.peers[0].SetLinger(0)
			s.peers[0].Close()
			s.Tick()
			if err := tell(s); err != syscall.ECONNRESET && err != syscall.EPIPE {
				t.Errorf("got %v, want the connection's error", err)
			}
			if err := s.send(0, 1); err != syscall.EPIPE {
				t.Errorf("the next send: got %v, want EPIPE", err)
			}
		})
	}
}

// TestSendBehindAsPlain runs random scripts over two connections with and without holding. The
// results of all calls are the same, and so are the peers' bytes. Before each call that has an
// effect beside its socket, the kernel has all bytes that were sent: a peer sees the effects in the
// order of the calls.
func TestSendBehindAsPlain(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			held := runScript(t, seed)
			plain := runScript(t, seed, "all")
			if !slices.Equal(held, plain) {
				t.Errorf("got %q, want those of a guest without: %q", held, plain)
			}
		})
	}
}

// runScript returns the results of the calls.
func runScript(t *testing.T, seed uint64, without ...string) (results []string) {
	s := newSender(t, without...)
	random := rand.New(rand.NewPCG(seed, 15))
	for range 150 {
		i := random.IntN(2)
		result := ""
		switch kind := random.IntN(100); {
		case kind < 80:
			n := 1 + random.IntN(1+random.IntN(2000))
			for range 1 + random.IntN(12) {
				result += fmt.Sprint(s.send(i, n), " ")
			}
			if n := s.held(1 - i); n != 0 {
				t.Fatalf("got %d bytes of the other socket held after a send, want none", n)
			}
		case kind < 84:
			result = fmt.Sprint(s.send(i, sendBehindMax+random.IntN(4000)))
		case kind < 98:
			result = s.otherCall(i, kind, random)
		case kind < 99:
			s.call(func() {
				before := s.inKernel(i)
				result = fmt.Sprint(s.Shutdown(s.fds[i], network.ShutWrite))
				s.before[i] += s.inKernel(i) - before // the end counts as a byte
			})
		default:
			s.call(func() {})
			s.peers[i].SetLinger(0)
			s.peers[i].Close()
			s.reset[i] = true
		}
		results = append(results, result)
	}
	s.call(func() {})
	for i := range s.fds {
		if !s.reset[i] {
			s.Shutdown(s.fds[i], network.ShutWrite)
			s.readAll(i)
		}
	}
	return results
}

// otherCall makes one of the calls before which nothing may be held.
func (s *sender) otherCall(i, kind int, random *rand.Rand) (result string) {
	s.call(func() {
		for i := range s.fds {
			if n := s.held(i); n != 0 {
				s.t.Fatalf("got %d bytes of %d held in a call, want none", n, i)
			}
		}
		switch kind % 4 {
		case 0:
			_, err := s.Recv(s.fds[i], [][]byte{make([]byte, 8)}, DontWait)
			result = fmt.Sprint(err)
		case 1:
			ready, err := s.Ready(s.fds[i], Writing)
			result = fmt.Sprint(ready, err)
		case 2:
			e, err := s.Option(s.fds[i], network.PendingError)
			result = fmt.Sprint(e, err)
		default:
			s.peers[i].Write(sequence(0, random.IntN(8)))
		}
	})
	return result
}

// TestHeldSendsDoNotAllocate sends in runs, and flushes them at ticks.
func TestHeldSendsDoNotAllocate(t *testing.T) {
	s := newSender(t)
	go io.Copy(io.Discard, s.peers[0])
	bufs := [][]byte{make([]byte, 1024)}
	run := func() {
		for range 100 {
			s.EnterSend(&importName)
			b := [1][]byte{bufs[0]}
			if _, err := s.Send(s.fds[0], append(bufs[:0], b[0]), noAddress, 0); err != nil {
				t.Fatal(err)
			}
			s.LeaveCall()
			s.ChargeSteps(1)
		}
	}
	run()
	if n := testing.AllocsPerRun(50, run); n > 1 {
		t.Errorf("got %v allocations in 100 sends, want none", n)
	}
}
