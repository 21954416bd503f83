package wasi2

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// connected makes a caller with the streams of a connection, whose other end is peer.
func connected(t testing.TB) (c *caller, in, out uint64, peer *net.TCPConn) {
	t.Helper()
	return connectedOn(t, kernel.New(kernel.Config{}))
}

func connectedOn(t testing.TB, n network.Network) (c *caller, in, out uint64,
	peer *net.TCPConn) {
	t.Helper()
	l := listenLoopback(t)
	c = newCaller(t, system.Config{Network: n})
	in, out, peer = c.connectTo(l)
	return c, in, out, peer
}

func listenLoopback(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// connectTo makes a connection of the guest with a listener of the test.
func (c *caller) connectTo(l net.Listener) (in, out uint64, peer *net.TCPConn) {
	c.Helper()
	fd, err := c.Open(network.IPv4, network.Stream)
	if err == nil {
		err = c.Connect(fd, netip.MustParseAddrPort(l.Addr().String()))
	}
	if err != nil {
		c.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { conn.Close() })
	d := newDescription(fd, ofSocket)
	rep, _ := put(c.Guest, &c.inputs, newInput(d))
	in = c.own("io/streams", "input-stream", rep)
	rep, _ = put(c.Guest, &c.outputs, newOutput(d))
	return in, c.own("io/streams", "output-stream", rep), conn.(*net.TCPConn)
}

// own makes a handle of a resource.
func (c *caller) own(iface, resource string, rep uint32) uint64 {
	row, _ := canon.LookupBuiltin(0x02)
	r := World{}.Resource("wasi:"+iface, resource)
	b := canon.Builtin{Row: row, Instance: c.instance, Resource: &canon.Resource{Type: r}}
	stack := []uint64{uint64(rep)}
	if err := b.Call(context.Background(), stack); err != nil {
		c.Fatal(err)
	}
	return stack[0]
}

// TestBytesReadAhead reads a stream in small pieces, most of which were received ahead. The pieces
// have the bytes in order, and each takes as much of the guest's memory as it has. What is left
// when the direction is shut down is not read.
func TestBytesReadAhead(t *testing.T) {
	c, in, _, peer := connected(t)
	sent := make([]byte, 30<<10)
	for i := range sent {
		sent[i] = byte(i) + byte(i>>8)
	}
	if _, err := peer.Write(sent); err != nil {
		t.Fatal(err)
	}
	s := c.inputs.items[0]
	read, stack := c.lower(inStream+"blocking-read"), make([]uint64, 8)
	const piece = 100
	var got []byte
	for len(got) < len(sent)/2 {
		c.free = firstFree
		copy(stack, []uint64{in, piece, resultAt})
		if err := read.Call(context.Background(), stack); err != nil || c.memory[resultAt] != 0 {
			t.Fatalf("got %v and case %d, want bytes", err, c.memory[resultAt])
		}
		at, n := le.Uint32(c.memory[resultAt+4:]), le.Uint32(c.memory[resultAt+8:])
		if n != piece || c.free != firstFree+n {
			t.Fatalf("got %d bytes in %d, want %d", n, c.free-firstFree, piece)
		}
		got = append(got, c.memory[at:at+n]...)
	}
	if !bytes.Equal(got, sent[:len(got)]) {
		t.Error("got other bytes than were sent")
	}
	s.recvClosed = true
	c.wants("err(closed)", inStream+"read", in, piece)
}

// TestDirectFormsDoNotAllocate checks the calls that dominate the run time of network programs.
func TestDirectFormsDoNotAllocate(t *testing.T) {
	c, in, out, peer := connected(t)
	go io.Copy(peer, peer)
	pollable := c.handle(inStream+"subscribe", in)
	writable := c.handle(outStream+"subscribe", out)
	le.PutUint32(c.memory[512:], uint32(pollable))
	le.PutUint32(c.memory[516:], uint32(writable))
	drop := canon.Resource{Type: World{}.Resource("wasi:io/poll", "pollable")}
	drop.Host = World{}.HostResource(drop.Type)
	row, _ := canon.LookupBuiltin(0x03)
	dropPollable := canon.Builtin{Row: row, Instance: c.instance, Resource: &drop}

	stack := make([]uint64, 8)
	type direct func(args ...uint64) uint64
	lower := func(name string) direct {
		l := c.lower(name)
		return func(args ...uint64) uint64 {
			clear(stack)
			copy(stack, args)
			if l.Signature.Func.ResultInMemory() {
				stack[len(args)] = resultAt
			}
			if err := l.Call(context.Background(), stack); err != nil {
				t.Fatal(err)
			}
			if name != "io/poll.poll" && l.Signature.Func.ResultInMemory() &&
				c.memory[resultAt] != 0 {
				t.Fatalf("%s: got an error, want success", name)
			}
			return stack[0]
		}
	}
	now := lower("clocks/monotonic-clock.now")
	checkWrite, write := lower(outStream+"check-write"), lower(outStream+"write")
	flush, blockingFlush := lower(outStream+"flush"), lower(outStream+"blocking-flush")
	writeAndFlush := lower(outStream + "blocking-write-and-flush")
	read, blockingRead := lower(inStream+"read"), lower(inStream+"blocking-read")
	subscribe := lower(inStream + "subscribe")
	ready, block := lower("io/poll.[method]pollable.ready"), lower("io/poll.[method]pollable.block")
	poll := lower("io/poll.poll")

	for name, round := range map[string]func(){
		"now": func() { now() },
		"small": func() {
			checkWrite(out)
			write(out, firstFree, 64)
			flush(out)
			block(pollable)
			ready(pollable)
			read(in, 1024)
		},
		"blocking": func() {
			writeAndFlush(out, firstFree, 64)
			blockingFlush(out)
			blockingRead(in, 1024)
		},
		"large": func() {
			checkWrite(out)
			write(out, firstFree, maxPermit)
			for n := uint32(0); n < maxPermit; n += le.Uint32(c.memory[resultAt+8:]) {
				blockingRead(in, maxPermit)
			}
			blockingFlush(out)
		},
		"poll": func() {
			poll(512, 2)
		},
		"subscribe": func() {
			stack[0] = subscribe(in)
			if err := dropPollable.Call(context.Background(), stack); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			round()
			if n := testing.AllocsPerRun(200, round); n > 0 {
				t.Errorf("got %v allocations, want 0", n)
			}
		})
	}
	runtime.KeepAlive(peer)
}

// hasty is a network whose sockets report twice that they are ready when they are not, as Wait may.
type hasty struct{ network.Network }

type hastySocket struct {
	network.Socket
	left *atomic.Int32
}

func (h hasty) Open(f network.Family, typ network.Type) (network.Socket, error) {
	s, err := h.Network.Open(f, typ)
	left := new(atomic.Int32)
	left.Store(2)
	return hastySocket{s, left}, err
}

func (s hastySocket) Wait(want network.Events, deadline time.Time) (network.Events, error) {
	if want == network.Readable && s.left.Add(-1) >= 0 {
		return want, nil
	}
	return s.Socket.Wait(want, deadline)
}

// TestBlockingReadNeedsBytes checks that a blocking read of any size never returns nothing.
func TestBlockingReadNeedsBytes(t *testing.T) {
	for _, length := range []int{1, smallRead, maxRead} {
		inBothForms(t, func(t *testing.T, form func(*caller) *caller) {
			c, in, _, peer := connectedOn(t, hasty{kernel.New(kernel.Config{})})
			go peer.Write([]byte("x"))
			form(c).wants(`ok("x")`, inStream+"blocking-read", in, length)
		})
	}
}

// TestTimersDoNotStarveSockets polls connections together with a timer that is always over, as a
// program that is busy does. Each connection must be reported soon after its bytes have come.
func TestTimersDoNotStarveSockets(t *testing.T) {
	const connections, enough = 100, 1_000_000
	inBothForms(t, func(t *testing.T, form func(*caller) *caller) {
		l := listenLoopback(t)
		c := form(newCaller(t, system.Config{Network: kernel.New(kernel.Config{})}))
		var peers []net.Conn
		var streams []uint64
		for range connections {
			in, _, peer := c.connectTo(l)
			peers, streams = append(peers, peer), append(streams, in)
		}
		list := make([]byte, 0, 4*(connections+1))
		now := c.handle("clocks/monotonic-clock.subscribe-duration", 0)
		list = le.AppendUint32(list, uint32(now))
		for _, s := range streams {
			list = le.AppendUint32(list, uint32(c.handle(inStream+"subscribe", s)))
		}
		copy(c.memory[firstFree:], list)
		c.free = firstFree + uint32(len(list))
		for i, peer := range peers {
			peer.Write([]byte("x"))
			want := "[0, " + strconv.Itoa(i+1) + "]"
			rounds := 0
			for c.call("io/poll.poll", firstFree, connections+1) != want {
				if rounds++; rounds == enough {
					t.Fatalf("connection %d: got %d polls without it, want fewer", i, rounds)
				}
				c.free = firstFree + uint32(len(list))
			}
			c.wants(`ok("x")`, inStream+"read", streams[i], 1)
		}
	})
}

// TestPendingWritesEndWithGuest leaves a write of each of several connections to go on, and ends
// the guest.
func TestPendingWritesEndWithGuest(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	t.Run("guest", func(t *testing.T) {
		l := listenLoopback(t)
		c := newCaller(t, system.Config{Network: kernel.New(kernel.Config{})})
		for range 10 {
			_, out, _ := c.connectTo(l)
			for c.call(outStream+"check-write", out) != "ok(0)" {
				c.wants(`ok`, outStream+"write", out, 0, maxPermit)
			}
		}
		c.Kill(errKilled)
	})
}
