package guard_test

import (
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
)

// TestDisconnectReleasesPeer releases the peer of a datagram socket. Its datagrams are then no
// longer admitted, and a send without an address fails.
func TestDisconnectReleasesPeer(t *testing.T) {
	for _, test := range []struct {
		name   string
		family network.Family
		at     string
	}{{"IPv4", network.IPv4, "127.0.0.1"}, {"IPv6", network.IPv6, "[::1]"}} {
		t.Run(test.name, func(t *testing.T) {
			peer, peerAddr := udpSocket(t, test.at+":0")
			// On a port of the guest's choice nobody may be heard but the peer.
			free, own := udpSocket(t, test.at+":0")
			free.Close()
			n := guarded(t, "allow connect udp://"+peerAddr.String(), "allow listen udp://"+
				own.String()+" from 192.0.2.1")
			s := open(t, n, test.family, network.Datagram)
			must(t, s.Bind(own))
			must(t, s.Connect(peerAddr))
			sendTo(t, peer, "first", own)
			if got, from := receive(t, s); got != "first" || from != peerAddr {
				t.Errorf("got %q from %v, want the peer's", got, from)
			}

			must(t, disconnect(t, s))
			if a, err := s.RemoteAddr(); err != syscall.ENOTCONN {
				t.Errorf("peer: got %v, %v, want %v", a, err, syscall.ENOTCONN)
			}
			_, err := s.Send([][]byte{[]byte("x")}, nobody)
			wantErr(t, "sending to no peer", err, syscall.EDESTADDRREQ)
			sendTo(t, peer, "second", own)
			_, err = s.Wait(network.Readable, time.Now().Add(testTimeout))
			must(t, err)
			_, err = s.Recv([][]byte{make([]byte, 16)}, 0)
			wantErr(t, "hearing the former peer", err, syscall.EAGAIN)

			must(t, s.Connect(peerAddr))
			sendTo(t, peer, "third", own)
			if got, _ := receive(t, s); got != "third" {
				t.Errorf("got %q from the new peer, want %q", got, "third")
			}
			wantErr(t, "connecting elsewhere", s.Connect(at(test.at+":1")), syscall.EACCES)
		})
	}
}

// TestDisconnectOfAdoptedSocketIsRefused keeps the peer of a socket that its owner still uses.
func TestDisconnectOfAdoptedSocketIsRefused(t *testing.T) {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(at("127.0.0.1:9")))
	must(t, err)
	t.Cleanup(func() { c.Close() })
	_, s := adopted(t, c, testutil.Policy(t))
	wantErr(t, "a socket that was handed over", disconnect(t, s), syscall.EACCES)
	if a, err := s.RemoteAddr(); err != nil || a != at("127.0.0.1:9") {
		t.Errorf("its peer: got %v, %v, want that of before", a, err)
	}
}

func disconnect(t *testing.T, s network.Socket) error {
	t.Helper()
	d, ok := s.(network.Disconnecter)
	if !ok {
		t.Fatal("got a socket that is no Disconnecter, want one")
	}
	return d.Disconnect()
}

func sendTo(t *testing.T, from *net.UDPConn, text string, to netip.AddrPort) {
	t.Helper()
	if _, err := from.WriteToUDPAddrPort([]byte(text), to); err != nil {
		t.Fatal(err)
	}
}

// TestReleasedAddressIsBoundAgain binds a socket to the address that Disconnect released, which
// Linux does with a port that it chose. The guest may do so where it may have such a port, and
// another socket may not.
func TestReleasedAddressIsBoundAgain(t *testing.T) {
	for _, test := range []struct {
		name, at, rule string
		family         network.Family
	}{
		{"client, IPv4", "0.0.0.0:0", "allow connect udp://127.0.0.1", network.IPv4},
		{"client, IPv6", "[::]:0", "allow connect udp://::1", network.IPv6},
		{"server, IPv4", "127.0.0.1:0", "allow listen udp://127.0.0.1:0", network.IPv4},
		{"server, IPv6", "[::1]:0", "allow listen udp://[::1]:0", network.IPv6},
	} {
		t.Run(test.name, func(t *testing.T) {
			peer := "127.0.0.1"
			if test.family == network.IPv6 {
				peer = "::1"
			}
			_, peerAddr := udpSocket(t, netip.AddrPortFrom(netip.MustParseAddr(peer), 0).String())
			n := guarded(t, test.rule, "allow connect udp://"+peerAddr.String())
			s := open(t, n, test.family, network.Datagram)
			must(t, s.Bind(at(test.at)))
			chosen := local(t, s)
			for range 7 {
				must(t, s.Connect(peerAddr))
				must(t, disconnect(t, s))
				if local(t, s).Port() == 0 {
					wantErr(t, "another socket on that port", open(t, n, test.family,
						network.Datagram).Bind(chosen), syscall.EACCES)
					must(t, s.Bind(chosen))
				}
				if got := local(t, s); !isReleased(got, chosen, peerAddr) {
					t.Fatalf("got %v after a disconnect, want %v as before", got, chosen)
				}
			}
		})
	}
}
