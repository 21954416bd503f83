package abi_test

import (
	"fmt"
	"strings"

	"github.com/wasport/wasport/internal/wasi"
)

// ready tells which events of a descriptor poll_oneoff reports at once.
func (c *caller) ready(fd uint64) string {
	var texts []string
	for _, event := range []struct {
		name string
		kind byte
	}{{"readable", wasi.EventFdRead}, {"writable", wasi.EventFdWrite},
		{"failed", wasi.EventFdFail}} {
		for _, e := range c.poll(fdFor(1, event.kind, fd), clockFor(2, wasi.ClockMonotonic, 0, 0)) {
			if e.Userdata != 1 {
				continue
			}
			text := event.name
			if e.Nbytes > 1 && event.kind == wasi.EventFdRead {
				text += fmt.Sprintf(" %d bytes", e.Nbytes)
			}
			if e.Error != wasi.Success {
				text += " " + e.Error.String()
			}
			if e.Flags&wasi.EventHangup != 0 {
				text += " hang-up"
			}
			texts = append(texts, text)
		}
	}
	if texts == nil {
		return "nothing"
	}
	return strings.Join(texts, ", ")
}

func pollSituation(call string, make func(c *caller) uint64) situation {
	return situation{"poll_oneoff", call, func(c *caller) string { return c.ready(make(c)) }}
}

var pollSituations = []situation{
	pollSituation("unconnected stream", func(c *caller) uint64 { return c.open(0, stream) }),
	pollSituation("unbound datagrams", func(c *caller) uint64 { return c.open(0, datagram) }),
	pollSituation("listener", func(c *caller) uint64 {
		l, _ := c.listener(0)
		return l
	}),
	pollSituation("listener with a connection", func(c *caller) uint64 {
		l, a := c.listener(0)
		c.must("sock_connect", c.open(0, stream), c.putAddr(a))
		c.poll(readable(1, l))
		return l
	}),
	pollSituation("listener after a shutdown", func(c *caller) uint64 {
		l, _ := c.listener(0)
		c.must("sock_shutdown", l, 3)
		return l
	}),
	pollSituation("connected", func(c *caller) uint64 {
		a, _ := c.pair(0)
		return a
	}),
	pollSituation("connected, with 64 bytes", func(c *caller) uint64 {
		a, b := c.pair(0)
		c.must("sock_send", b, iov, 1, 0, out)
		c.poll(readable(1, a))
		return a
	}),
	pollSituation("the peer shut down sending", func(c *caller) uint64 {
		a, b := c.pair(0)
		c.must("sock_shutdown", b, 2)
		c.poll(readable(1, a))
		return a
	}),
	pollSituation("both shut down sending", func(c *caller) uint64 {
		a, b := c.pair(0)
		c.must("sock_shutdown", b, 2)
		c.must("sock_shutdown", a, 2)
		c.poll(readable(1, a))
		return a
	}),
	pollSituation("shut down receiving", func(c *caller) uint64 {
		a, _ := c.pair(0)
		c.must("sock_shutdown", a, 1)
		return a
	}),
	pollSituation("reset", func(c *caller) uint64 { return c.reset() }),
	pollSituation("connect refused", func(c *caller) uint64 {
		return c.connecting(c.refusing(0))
	}),
	pollSituation("connect refused, SO_ERROR read", func(c *caller) uint64 {
		fd := c.connecting(c.refusing(0))
		c.pendingError(fd)
		return fd
	}),
	pollSituation("datagram of 64 bytes", func(c *caller) uint64 {
		a, b, _, to := c.datagrams(0)
		c.must("sock_send_to", a, iov, 1, 0, c.putAddr(to), out)
		c.poll(readable(1, b))
		return b
	}),
	pollSituation("datagrams refused", func(c *caller) uint64 {
		a, _, _, gone := c.datagrams(0)
		c.must("fd_close", a+1)
		fd := c.connected(gone)
		c.must("sock_send", fd, iov, 1, 0, out)
		c.poll(readable(1, fd))
		return fd
	}),
	pollSituation("file", func(c *caller) uint64 { return c.openFile() }),
	pollSituation("directory", func(*caller) uint64 { return dir }),
	pollSituation("closed descriptor", func(*caller) uint64 { return closed }),
}
