package integration_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

func TestUDPServerEchoesDatagrams(t *testing.T) {
	forEachFamily(t, func(t *testing.T, ip, _ string) {
		g := startGuest(t, "udp_server", ip, "3")
		c, err := net.Dial("udp", g.readListenAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(testTimeout))
		for _, text := range []string{"one", "", strings.Repeat("x", 60000)} {
			if _, err := c.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
			if line := g.readLine(); !strings.HasPrefix(line, "from "+
				strings.Join(splitAddr(c.LocalAddr()), " ")+" ") {
				t.Errorf("got %q, want a datagram from %v", line, c.LocalAddr())
			}
			b := make([]byte, 65536)
			n, err := c.Read(b)
			if err != nil || string(b[:n]) != text {
				t.Fatalf("got %d bytes, %v, want %d", n, err, len(text))
			}
		}
		g.waitExit(0)
	})
}

func TestUDPClientReceivesReply(t *testing.T) {
	forEachFamily(t, func(t *testing.T, ip, _ string) {
		c, err := net.ListenPacket("udp", net.JoinHostPort(ip, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		g := startGuest(t, "udp_client", ip, splitAddr(c.LocalAddr())[1], "a text")
		b := make([]byte, 64)
		c.SetDeadline(time.Now().Add(testTimeout))
		n, from, err := c.ReadFrom(b)
		if err != nil || string(b[:n]) != "a text" {
			t.Fatalf(`got %q, %v, want "a text"`, b[:n], err)
		}
		c.WriteTo([]byte("the answer"), from)
		if out := g.waitExit(0); !strings.Contains(out, "received the answer") {
			t.Errorf("got %q, want the answer", out)
		}
	})
}

func TestDatagramCallsOnUDPSocket(t *testing.T) {
	forEachFamily(t, func(t *testing.T, _, number string) {
		g := startGuest(t, "datagrams", number)
		g.expectLines("empty ok", "truncated ok", "length ok", "pieces ok", "connected ok",
			"peer ok", "too big ok")
		t.Run("datagrams to nobody", func(t *testing.T) {
			needs.NotWine(t)
			g.t = t
			g.expectLines("refused ok")
			g.waitExit(0)
		})
	})
}

// TestMulticastBetweenGuests lets one guest send to a group that another has joined, on the
// loopback interface.
func TestMulticastBetweenGuests(t *testing.T) {
	lo := loopbackInterface(t)
	for _, test := range []struct{ name, group, on string }{
		{"IPv4", "239.17.5.1", "127.0.0.1"},
		{"IPv6", "ff01::1705", lo.Name},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.name == "IPv6" { // which many hosts do not route on their loopback interface
				c, err := net.Dial("udp", fmt.Sprintf("[%s%%%d]:9", test.group, lo.Index))
				if err != nil {
					t.Skip("not on this host: ", err)
				}
				c.Close()
			}
			policy := testutil.Policy(t, "allow connect any", "allow listen any", "allow join any")
			receiver := startGuestUnder(t, policy, "multicast", "receive", test.group, test.on, "1")
			at := receiver.readListenAddr()
			sender := startGuestUnder(t, policy, "multicast", "send", test.group, portText(at),
				test.on, "to all")
			sender.expectLines("sent")
			sender.waitExit(0)
			if line := receiver.readLine(); !strings.HasPrefix(line, "received to all from ") {
				t.Errorf("got %q, want a datagram from the sender", line)
			}
			receiver.expectLines("leave OK", "leave again EADDRNOTAVAIL", "join OK",
				"join again EADDRINUSE")
			receiver.waitExit(0)
		})
	}
}

// loopbackInterface returns an address of the loopback interface, from the list that guests get:
// that of package net has routes, with which it fails under Wine.
func loopbackInterface(t *testing.T) network.HostAddr {
	t.Helper()
	list, err := kernel.New(kernel.Config{}).HostAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		if a.Flags&network.InterfaceLoopback != 0 {
			return a
		}
	}
	t.Fatal("got no loopback interface, want one")
	return network.HostAddr{}
}
