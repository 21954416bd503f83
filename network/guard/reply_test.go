package guard_test

import (
	"net/netip"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// TestReplyNeedsAdmittedSender lets a server answer the senders that it has received from, and no
// others.
func TestReplyNeedsAdmittedSender(t *testing.T) {
	client, clientAt := udpSocket(t, "127.0.0.1:0")
	other, otherAt := udpSocket(t, "127.0.0.1:0")
	for name, text := range map[string]string{
		"a chosen port":             "allow listen udp://127.0.0.1",
		"a port of the host's":      "allow listen udp://127.0.0.1:0",
		"from those who may":        "allow listen udp://127.0.0.1:0 from loopback",
		"with connects to the rest": "allow listen udp://127.0.0.1:0",
	} {
		t.Run(name, func(t *testing.T) {
			n := guarded(t, text, "allow connect *")
			s, two := open(t, n, network.IPv4, network.Datagram), open(t, n, network.IPv4,
				network.Datagram)
			must(t, s.Bind(here))
			must(t, two.Bind(here))
			try := func(s network.Socket, to netip.AddrPort) error {
				_, err := s.Send([][]byte{[]byte("answer")}, to)
				return err
			}
			wantErr(t, "before it was asked", try(s, clientAt), syscall.EACCES)
			client.WriteToUDPAddrPort([]byte("question"), local(t, s))
			receive(t, s)
			wantErr(t, "another one", try(s, otherAt), syscall.EACCES)
			wantErr(t, "by another socket", try(two, clientAt), syscall.EACCES)
			wantErr(t, "another port",
				try(s, netip.AddrPortFrom(clientAt.Addr(), clientAt.Port()^1)), syscall.EACCES)
			must(t, try(s, clientAt))
			must(t, try(s, clientAt))
			expectDatagram(t, client, "answer")
			expectDatagram(t, client, "answer")

			// A deny rule refuses replies too, and so does a policy without a rule for the sender.
			for _, p := range []*policy.Policy{
				testutil.Policy(t, text, "deny connect loopback"),
				policy.All(testutil.Policy(t, text),
					testutil.Policy(t, "allow listen any", "deny connect loopback")),
				policy.All(testutil.Policy(t, text),
					testutil.Policy(t, "allow listen any from 127.0.0.7")),
				testutil.Policy(t, "allow listen udp://127.0.0.1 from 127.0.0.7"),
				nil,
			} {
				n.SetPolicy(p)
				wantErr(t, "after the change", try(s, clientAt), syscall.EACCES)
			}
			n.SetPolicy(policy.All(testutil.Policy(t, text),
				testutil.Policy(t, "allow listen any")))
			must(t, try(s, clientAt))
			expectDatagram(t, client, "answer")
			expectNothing(t, client)
		})
	}
	expectNothing(t, other)
}

// spoofedNet is a Network whose datagrams come from the named sender, and whose sends are dropped.
type spoofedNet struct {
	network.Network
	from netip.AddrPort
}

type spoofedSocket struct {
	network.Socket
	*spoofedNet
}

func (c *spoofedNet) Open(f network.Family, t network.Type) (network.Socket, error) {
	s, err := c.Network.Open(f, t)
	return &spoofedSocket{s, c}, err
}

func (s *spoofedSocket) Recv([][]byte, network.RecvFlags) (network.Received, error) {
	return network.Received{From: s.from}, nil
}

func (s *spoofedSocket) Send([][]byte, netip.AddrPort) (int, error) { return 0, nil }

// TestReplyToForgottenSender receives from so many senders that the first are forgotten, except one
// that sends now and then.
func TestReplyToForgottenSender(t *testing.T) {
	base := &spoofedNet{Network: kernel.New(kernel.Config{})}
	n := guard.New(base, testutil.Policy(t, "allow listen udp://127.0.0.1"), guard.Options{})
	s := open(t, n, network.IPv4, network.Datagram)
	must(t, s.Bind(here))
	hear := func(from netip.AddrPort) {
		base.from = from
		_, err := s.Recv(nil, 0)
		must(t, err)
	}
	const many = 100_000
	first, regular := at("192.0.2.1:1"), at("192.0.2.2:2")
	hear(first)
	var a netip.AddrPort
	for i := range many {
		if i%1000 == 0 {
			hear(regular)
		}
		a = netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, byte(i >> 16), byte(i >> 8), byte(i)}),
			53)
		hear(a)
	}
	for _, to := range []netip.AddrPort{regular, a} {
		_, err := s.Send(nil, to)
		wantErr(t, "answer "+to.String(), err, nil)
	}
	_, err := s.Send(nil, first)
	wantErr(t, "answer the first", err, syscall.EACCES)
}
