package kernel

import (
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"github.com/wasport/wasport/network"
)

func TestSendPastPeer(t *testing.T) {
	peer, other := netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("192.0.2.2:2")
	for _, test := range []struct {
		name                   string
		to                     netip.AddrPort
		peerErr, connect, send error
		wantErr                error
		want                   []string
	}{
		{"beside", other, nil, nil, nil, nil, []string{other.String(), "send", peer.String()}},
		{"to the peer", peer, nil, nil, nil, nil, []string{"send"}},
		{"disconnected meanwhile", other, syscall.ENOTCONN, nil, nil, syscall.ENOTCONN, nil},
		{"unreachable", other, nil, syscall.ENETUNREACH, nil, syscall.ENETUNREACH,
			[]string{other.String(), peer.String()}},
		{"no buffers", other, nil, nil, syscall.ENOBUFS, syscall.ENOBUFS,
			[]string{other.String(), "send", peer.String()}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var calls []string
			_, err := sendPastPeer(test.to, peerChanger{
				peer: func() (netip.AddrPort, error) { return peer, test.peerErr },
				connect: func(to netip.AddrPort) error {
					calls = append(calls, to.String())
					if to == other {
						return test.connect
					}
					return nil
				},
				send: func() (int, error) {
					calls = append(calls, "send")
					return 1, test.send
				},
			})
			if err != test.wantErr || !slices.Equal(calls, test.want) {
				t.Errorf("got %v with calls %v, want %v with %v", err, calls, test.wantErr,
					test.want)
			}
		})
	}
}

func TestCapBufs(t *testing.T) {
	b := make([]byte, 16<<20)
	list := func(n int) [][]byte { return slices.Repeat([][]byte{b}, n) }
	for _, test := range []struct {
		name  string
		bufs  [][]byte
		typ   network.Type
		count int
		err   error
	}{
		{"few", list(3), network.Stream, 3, nil},
		{"many", list(5), network.Stream, 4, nil},
		{"many with empty ones", [][]byte{nil, b, nil, b, nil}, network.Stream, 2, nil},
		{"datagram of many", list(5), network.Datagram, 0, syscall.EMSGSIZE},
	} {
		got, err := capBufs(test.bufs, test.typ, 4)
		if len(got) != test.count || err != test.err {
			t.Errorf("%s: got %d buffers, %v, want %d, %v", test.name, len(got), err, test.count,
				test.err)
		}
	}
	// 128 times 16 MiB are 2 GiB, beyond INT_MAX.
	got, err := capBufs(list(200), network.Stream, 1024)
	if n := totalLen(got); n != maxBufBytes || err != nil {
		t.Errorf("200 times 16 MiB: got %d bytes, %v, want %d", n, err, maxBufBytes)
	}
	if _, err := capBufs(list(200), network.Datagram, 1024); err != syscall.EMSGSIZE {
		t.Errorf("datagram of 200 times 16 MiB: got %v, want %v", err, syscall.EMSGSIZE)
	}
}
