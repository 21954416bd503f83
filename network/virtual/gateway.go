package virtual

import (
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/network"
)

type outside struct{ network.Socket }

func (s *tcpSocket) connectOutside(g network.Network, to netip.AddrPort) error {
	return syscall.ENETUNREACH
}
func (s *tcpSocket) outsideResult(o *outside) error { return nil }
func (s *udpSocket) recvOutside(o *outside, bufs [][]byte, flags network.RecvFlags) (network.Received, error) {
	return network.Received{}, syscall.EAGAIN
}
func (s *udpSocket) sendOutside(g network.Network, bufs [][]byte, to netip.AddrPort) error {
	return syscall.ENETUNREACH
}
