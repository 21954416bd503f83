package wasi2

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/engine/memory"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/network"
)

// TestTCPConnection has a guest's client and its listener talk, and looks at both ends.
func TestTCPConnection(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		c := newNetCaller(t, anyLoopback...)
		l, at := c.listen(f)
		c.wants(`false`, "io/poll.[method]pollable.ready", c.handle(tcpMethod+"subscribe", l))
		client, in, out := c.connect(f, at)
		server, sin, sout := c.accept(l)

		own := c.addressOf(tcpMethod+"local-address", client)
		for _, test := range []struct {
			name, function string
			socket         uint64
			want           netip.AddrPort
		}{
			{"client's peer", "remote-address", client, at},
			{"server", "local-address", server, at},
			{"server's peer", "remote-address", server, own},
		} {
			if got := c.addressOf(tcpMethod+test.function, test.socket); got != test.want {
				t.Errorf("%s: got %v, want %v", test.name, got, test.want)
			}
		}
		c.send(out, "ping")
		c.wants(`ok("ping")`, inStream+"blocking-read", sin, 100)
		c.send(sout, "pong")
		c.wants(`ok("pong")`, inStream+"blocking-read", in, 100)
		c.wants(`ok`, tcpMethod+"shutdown", client, 1)
		c.wants(`err(closed)`, inStream+"blocking-read", sin, 100)
		c.send(sout, "more")
		c.wants(`ok("more")`, inStream+"blocking-read", in, 100)
	})
}

// TestTCPArguments binds and connects with addresses that no TCP socket can have there. Such a
// mistake leaves the state as it was.
func TestTCPArguments(t *testing.T) {
	for _, test := range []struct {
		function string
		family   int
		address  string
		want     string
	}{
		{"start-bind", 0, "[::1]:0", "err(invalid-argument)"},
		{"start-bind", 0, "224.0.0.1:0", "err(invalid-argument)"},
		{"start-bind", 0, "255.255.255.255:0", "err(invalid-argument)"},
		{"start-bind", 0, "192.0.2.1:0", "err(address-not-bindable)"},
		{"start-bind", 1, "127.0.0.1:0", "err(invalid-argument)"},
		{"start-bind", 1, "[::ffff:127.0.0.1]:0", "err(invalid-argument)"},
		{"start-bind", 1, "[ff02::1]:0", "err(invalid-argument)"},
		{"start-bind", 1, "[2001:db8::1]:0", "err(address-not-bindable)"},
		{"start-connect", 0, "[::1]:80", "err(invalid-argument)"},
		{"start-connect", 0, "224.0.0.1:80", "err(invalid-argument)"},
		{"start-connect", 0, "255.255.255.255:80", "err(invalid-argument)"},
		{"start-connect", 0, "0.0.0.0:80", "err(invalid-argument)"},
		{"start-connect", 0, "127.0.0.1:0", "err(invalid-argument)"},
		{"start-connect", 1, "127.0.0.1:80", "err(invalid-argument)"},
		{"start-connect", 1, "[::ffff:127.0.0.1]:80", "err(invalid-argument)"},
		{"start-connect", 1, "[ff02::1]:80", "err(invalid-argument)"},
		{"start-connect", 1, "[::]:80", "err(invalid-argument)"},
		{"start-connect", 1, "[::1]:0", "err(invalid-argument)"},
	} {
		t.Run(test.function+" "+test.address, func(t *testing.T) {
			c := newNetCaller(t, "allow connect any", "allow listen any")
			f := families[test.family]
			s := c.handle(createTCP, f.number)
			c.wants(test.want, tcpMethod+test.function,
				s, c.network, flatText(test.address))
			c.refused()
			c.wants(`ok`, tcpMethod+"start-bind", s, c.network, flatText(f.loopback))
		})
	}
}

// TestTCPAddressInUse binds two listeners to one address. The port is free again once the first is
// closed, though a connection of it is still open.
func TestTCPAddressInUse(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		c := newNetCaller(t, "allow connect loopback", "allow listen loopback")
		at := closedPort(t, f)
		l := c.bind(createTCP, tcpMethod, f, at.String())
		c.wants(`ok`, tcpMethod+"start-listen", l)
		c.wants(`ok`, tcpMethod+"finish-listen", l)
		s := c.handle(createTCP, f.number)
		again := []any{s, c.network, flat(at)}
		c.wants(`err(address-in-use)`, tcpMethod+"start-bind", again)
		dial(t, at)
		c.accept(l)
		c.dropAll("sockets/tcp.tcp-socket", l)
		c.wants(`ok`, tcpMethod+"start-bind", again)
		c.wants(`ok`, tcpMethod+"finish-bind", s)
		c.wants(`ok`, tcpMethod+"start-listen", s)
	})
}

// TestTCPCreate makes sockets where there are none to be had.
func TestTCPCreate(t *testing.T) {
	for _, test := range []struct {
		name   string
		config system.Config
		want   string
	}{
		{"no network", system.Config{}, "err(access-denied)"},
		{"no descriptor left", system.Config{Network: failing(nil), MaxDescriptors: 3},
			"err(new-socket-limit)"},
		{"no family", system.Config{Network: failing(syscall.EAFNOSUPPORT)},
			"err(not-supported)"},
		{"no memory", system.Config{Network: failing(syscall.ENOBUFS)}, "err(out-of-memory)"},
		{"no file", system.Config{Network: failing(syscall.EMFILE)}, "err(new-socket-limit)"},
		{"no option", system.Config{Network: failing(nil)}, "err(not-supported)"},
	} {
		for _, create := range []string{createTCP, createUDP} {
			t.Run(test.name, func(t *testing.T) {
				c := newCaller(t, test.config)
				c.wants(test.want, create, 1)
			})
		}
	}
}

// failing is a network whose sockets cannot be opened or, without an error, have no options.
func failing(err error) network.Network { return failingNetwork{err: err} }

type failingNetwork struct {
	network.Network
	err error
}

func (f failingNetwork) Open(network.Family, network.Type) (network.Socket, error) {
	return failingSocket{}, f.err
}

type failingSocket struct{ network.Socket }

func (failingSocket) Type() network.Type                    { return network.Stream }
func (failingSocket) Close() error                          { return nil }
func (failingSocket) SetOption(network.Option, int64) error { return syscall.ENOPROTOOPT }

// TestShutdownReceive closes an input stream at once, with received bytes that were not read.
func TestShutdownReceive(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		c := newNetCaller(t, anyLoopback...)
		l, at := c.listen(f)
		conn := dial(t, at)
		s, in, out := c.accept(l)
		if _, err := io.WriteString(conn, "lost"); err != nil {
			t.Fatal(err)
		}
		c.block(inStream+"subscribe", in)
		for range 2 {
			c.wants(`ok`, tcpMethod+"shutdown", s, 0)
			for _, name := range []string{"read", "blocking-read", "skip", "blocking-skip"} {
				c.wants(`err(closed)`, inStream+name, in, 0)
				c.wants(`err(closed)`, inStream+name, in, 10)
			}
		}
		c.wants(`true`, "io/poll.[method]pollable.ready", c.handle(inStream+"subscribe", in))
		c.send(out, "still")
		wantRead(t, conn, "still")
	})
}

// TestShutdownSend ends the stream for the peer after everything that was written before, even what
// the system had no room for. The guest's end of it is closed at once.
func TestShutdownSend(t *testing.T) {
	for _, test := range []struct {
		name string
		how  uint64
	}{{"send", 1}, {"both", 2}} {
		t.Run(test.name, func(t *testing.T) {
			eachFamily(t, func(t *testing.T, f family) {
				c := newNetCaller(t, anyLoopback...)
				in, s, out := c.narrow(f)
				data := c.fill(out)
				for range 2 {
					c.wants(`ok`, tcpMethod+"shutdown", s, test.how)
					c.wants(`err(closed)`, outStream+"check-write", out)
					c.wants(`err(closed)`, outStream+"write", out, "x")
					c.wants(`err(closed)`, outStream+"flush", out)
					c.wants(`true`, "io/poll.[method]pollable.ready",
						c.handle(outStream+"subscribe", out))
				}
				if got := c.readAll(in); got != data {
					t.Errorf("the peer got %d bytes and the end, want the %d written", len(got),
						len(data))
				}
			})
		})
	}
}

// TestStreamsOutliveTheirSocket drops a socket and its streams, in each order. The connection ends
// with the last of them.
func TestStreamsOutliveTheirSocket(t *testing.T) {
	for _, test := range []struct {
		name  string
		order []int // of socket, input and output
	}{
		{"socket first", []int{0, 1, 2}}, {"socket last", []int{2, 1, 0}},
		{"input last", []int{0, 2, 1}}, {"output last", []int{1, 0, 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachFamily(t, func(t *testing.T, f family) {
				c := newNetCaller(t, anyLoopback...)
				l, at := c.listen(f)
				conn := dial(t, at)
				s, in, out := c.accept(l)
				open := true
				drop := []func(){
					func() { c.dropAll("sockets/tcp.tcp-socket", s) },
					func() { c.dropAll("io/streams.input-stream", in) },
					func() { c.dropAll("io/streams.output-stream", out); open = false },
				}
				for _, which := range test.order {
					drop[which]()
					if open {
						c.send(out, "x")
						wantRead(t, conn, "x")
					}
				}
				if b, err := io.ReadAll(conn); err != nil || len(b) > 0 {
					t.Errorf("got %q, %v after the last drop, want the end", b, err)
				}
			})
		})
	}
}

// TestPeerResets reports a reset once, with its code, and then that the stream is closed.
func TestPeerResets(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		c := newNetCaller(t, anyLoopback...)
		l, at := c.listen(f)
		conn := dial(t, at)
		_, in, out := c.accept(l)
		if err := errors.Join(conn.SetLinger(0), conn.Close()); err != nil {
			t.Fatal(err)
		}
		c.block(inStream+"subscribe", in)
		const want = "some(connection-reset)"
		if got := c.streamCode(inStream+"read", in, 10); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		c.wants(`err(closed)`, inStream+"read", in, 10)
		c.wants(`ok(65536)`, outStream+"check-write", out)
		c.wants(`err(closed)`, outStream+"write", out, "x") // EPIPE
		c.wants(`err(closed)`, outStream+"check-write", out)
	})
}

// TestSpliceFromReset splices from a connection that its peer resets to another kind of stream. The
// error has a code of sockets.
func TestSpliceFromReset(t *testing.T) {
	for _, splice := range []string{"splice", "blocking-splice"} {
		t.Run(splice, func(t *testing.T) {
			c := newNetCaller(t, anyLoopback...)
			l, at := c.listen(families[0])
			conn := dial(t, at)
			_, in, _ := c.accept(l)
			if err := errors.Join(conn.SetLinger(0), conn.Close()); err != nil {
				t.Fatal(err)
			}
			c.block(inStream+"subscribe", in)
			const want = "some(connection-reset)"
			out := c.handle("cli/stdout.get-stdout")
			if got := c.streamCode(outStream+splice, out, in, 10); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			c.wants(`err(closed)`, outStream+splice, out, in, 10)
		})
	}
}

// TestWriteGoesOnByItself writes more than fits, and never calls the stream again.
func TestWriteGoesOnByItself(t *testing.T) {
	eachFamily(t, func(t *testing.T, f family) {
		c := newNetCaller(t, anyLoopback...)
		in, _, out := c.narrow(f)
		data := c.fill(out)
		var got strings.Builder
		for got.Len() < len(data) {
			got.WriteString(c.read(in))
		}
		if got.String() != data {
			t.Errorf("got %d other bytes, want the %d written", got.Len(), len(data))
		}
		c.wants(`ok`, outStream+"blocking-flush", out)
		c.wants(`ok(65536)`, outStream+"check-write", out)
	})
}

// TestRestOfAWriteIsCharged writes more than fits, with too little memory for the rest and with
// enough.
func TestRestOfAWriteIsCharged(t *testing.T) {
	data := strings.Repeat("x", 65_536)
	fill := func(c *netCaller, left uint64) (got string, s, in, out uint64, conn io.Reader) {
		c.Memory = memory.NewBudget(left)
		l, at := c.listen(families[0])
		c.wants(`ok`, tcpMethod+"set-send-buffer-size", l, 1024)
		conn = dial(c, at)
		s, in, out = c.accept(l)
		for got = "ok"; got == "ok" && c.call(outStream+"check-write", out) == "ok(65536)"; {
			got = c.call(outStream+"write", out, data)
		}
		return got, s, in, out, conn
	}
	t.Run("too little", func(t *testing.T) {
		c := newNetCaller(t, anyLoopback...)
		got, _, _, out, _ := fill(c, 100)
		var failed uint64
		if _, err := fmt.Sscanf(got, "err(last-operation-failed(%d))", &failed); err != nil {
			t.Fatalf("got %s, want an error", got)
		}
		c.wants(`some(out-of-memory)`, "sockets/network.network-error-code", failed)
		c.wants(`err(closed)`, outStream+"check-write", out)
	})
	t.Run("enough", func(t *testing.T) {
		const left = 1 << 20
		c := newNetCaller(t, anyLoopback...)
		got, s, in, out, conn := fill(c, left)
		if got != "ok" || c.Memory.Take(left) {
			t.Errorf("got %s and no memory charged, want ok and some", got)
		}
		go io.Copy(io.Discard, conn)
		c.dropAll("io/streams.output-stream", out)
		c.dropAll("io/streams.input-stream", in)
		c.dropAll("sockets/tcp.tcp-socket", s)
		if !c.Memory.Take(left) {
			t.Error("got memory charged after the end of the connection, want none")
		}
	})
}

// narrow returns the input stream of one end of a connection with small buffers, and the socket and
// output stream of the other end.
func (c *netCaller) narrow(f family) (in, s, out uint64) {
	c.Helper()
	l, at := c.listen(f)
	client := c.handle(createTCP, f.number)
	c.wants(`ok`, tcpMethod+"set-send-buffer-size", l, 1024)
	c.wants(`ok`, tcpMethod+"set-receive-buffer-size", client, 1024)
	c.wants(`ok`, tcpMethod+"start-connect", client, c.network, flat(at))
	s, _, out = c.accept(l)
	c.block(tcpMethod+"subscribe", client)
	return c.handles(tcpMethod+"finish-connect", client)[0], s, out
}

// fill writes until the system takes no more, and returns what it wrote. Windows takes more than
// the buffer's size.
func (c *netCaller) fill(out uint64) string {
	c.Helper()
	data := strings.Repeat("0123456789abcdef", 4096)
	var all strings.Builder
	for c.call(outStream+"check-write", out) == "ok(65536)" {
		c.wants(`ok`, outStream+"write", out, data)
		all.WriteString(data)
	}
	c.wants(`ok(0)`, outStream+"check-write", out)
	return all.String()
}

// read waits for bytes, and returns "" at the end.
func (c *netCaller) read(in uint64) string {
	c.Helper()
	text := c.call(inStream+"blocking-read", in, 1<<16)
	if text == "err(closed)" {
		return ""
	}
	b, err := strconv.Unquote(strings.TrimSuffix(strings.TrimPrefix(text, "ok("), ")"))
	if err != nil || b == "" {
		c.Fatalf("got %s, want bytes or the end", text)
	}
	return b
}

func (c *netCaller) readAll(in uint64) string {
	c.Helper()
	var all strings.Builder
	for {
		s := c.read(in)
		if all.WriteString(s); s == "" {
			return all.String()
		}
	}
}

func wantRead(t testing.TB, conn io.Reader, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(conn, b); err != nil || string(b) != want {
		t.Errorf("the peer got %q, %v, want %q", b, err, want)
	}
}

// TestRestOfAWriteIsAwaited writes more than fits, to a peer that reads a little later, and waits
// for the rest in each way.
func TestRestOfAWriteIsAwaited(t *testing.T) {
	for _, test := range []struct {
		name string
		wait func(c *netCaller, out uint64)
	}{
		{"flush", func(c *netCaller, out uint64) {
			c.wants(`ok`, outStream+"blocking-flush", out)
		}},
		{"poll", func(c *netCaller, out uint64) { c.block(outStream+"subscribe", out) }},
		{"write", func(c *netCaller, out uint64) {
			c.wants(`ok`, outStream+"blocking-write-and-flush", out, "")
		}},
		{"drop", func(c *netCaller, out uint64) { c.dropAll("io/streams.output-stream", out) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newNetCaller(t, anyLoopback...)
			l, at := c.listen(families[0])
			c.wants(`ok`, tcpMethod+"set-send-buffer-size", l, 1024)
			conn := dial(t, at)
			_, _, out := c.accept(l)
			size := int64(len(c.fill(out)))
			got := make(chan int64)
			go func() {
				n, _ := io.Copy(io.Discard, conn)
				got <- n
			}()
			test.wait(c, out)
			c.Thread.Guest.Close()
			if n := <-got; n != size {
				t.Errorf("the peer got %d bytes, want the %d written", n, size)
			}
		})
	}
}

// TestEndOfGuestThatFlushes ends a guest that waits for a peer that does not read.
func TestEndOfGuestThatFlushes(t *testing.T) {
	c := newNetCaller(t, anyLoopback...)
	_, _, out := c.narrow(families[0])
	c.fill(out)
	go c.Kill(system.ErrCPU)
	if got, err := c.try(outStream+"blocking-flush", out); err != system.ErrCPU {
		t.Errorf("got %s, %v, want %v", got, err, system.ErrCPU)
	}
}
