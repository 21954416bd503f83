package integration_test

import (
	"net"
	"strings"
	"testing"
	"time"
)

func TestUDPServer(t *testing.T) {
	families(t, func(t *testing.T, ip, _ string) {
		g := start(t, "udp_server", ip, "3")
		c, err := net.Dial("udp", g.listening().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		for _, text := range []string{"one", "", strings.Repeat("x", 60000)} {
			if _, err := c.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
			if line := g.line(); !strings.HasPrefix(line, "from "+
				strings.Join(hostPort(c.LocalAddr()), " ")+" ") {
				t.Errorf("the guest said %q", line)
			}
			b := make([]byte, 65536)
			n, err := c.Read(b)
			if err != nil || string(b[:n]) != text {
				t.Fatalf("%d bytes came back as %d, %v", len(text), n, err)
			}
		}
		g.ends(0)
	})
}

func TestUDPClient(t *testing.T) {
	families(t, func(t *testing.T, ip, _ string) {
		c, err := net.ListenPacket("udp", net.JoinHostPort(ip, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		g := start(t, "udp_client", ip, hostPort(c.LocalAddr())[1], "a text")
		b := make([]byte, 64)
		c.SetDeadline(time.Now().Add(patience))
		n, from, err := c.ReadFrom(b)
		if err != nil || string(b[:n]) != "a text" {
			t.Fatalf("%q, %v", b[:n], err)
		}
		c.WriteTo([]byte("the answer"), from)
		if out := g.ends(0); !strings.Contains(out, "received the answer") {
			t.Errorf("the guest said %q", out)
		}
	})
}

func TestDatagrams(t *testing.T) {
	families(t, func(t *testing.T, _, number string) {
		g := start(t, "datagrams", number)
		g.expect("empty ok", "truncated ok", "length ok", "pieces ok", "connected ok", "peer ok",
			"refused ok", "too big ok")
		g.ends(0)
	})
}

// TestMulticast lets one guest send to a group that another has joined, on the loopback interface.
func TestMulticast(t *testing.T) {
	lo, err := loopbackInterface()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, group, on string }{
		{"IPv4", "239.17.5.1", "127.0.0.1"},
		{"IPv6", "ff01::1705", lo.Name},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.name == "IPv6" { // which many hosts do not route on their loopback interface
				c, err := net.Dial("udp", net.JoinHostPort(test.group+"%"+test.on, "9"))
				if err != nil {
					t.Skip("not on this host: ", err)
				}
				c.Close()
			}
			policy := rules(t, "allow connect any", "allow listen any", "allow join any")
			receiver := startPolicy(t, policy, "multicast", "receive", test.group, test.on, "1")
			at := receiver.listening()
			sender := startPolicy(t, policy, "multicast", "send", test.group, port(at), test.on,
				"to all")
			sender.expect("sent")
			sender.ends(0)
			if line := receiver.line(); !strings.HasPrefix(line, "received to all from ") {
				t.Errorf("the guest said %q", line)
			}
			receiver.expect("leave OK", "leave again EADDRNOTAVAIL", "join OK",
				"join again EADDRINUSE")
			receiver.ends(0)
		})
	}
}

func loopbackInterface() (*net.Interface, error) {
	all, err := net.Interfaces()
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 {
			return &i, nil
		}
	}
	return nil, err
}
