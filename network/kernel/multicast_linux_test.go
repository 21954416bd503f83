package kernel

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/network"
)

// TestDatagramSocketsReceiveFromJoinedGroups reads IP_MULTICAST_ALL and its IPv6 form (ip(7)) of
// sockets that were opened and handed over.
func TestDatagramSocketsReceiveFromJoinedGroups(t *testing.T) {
	for name, open := range map[string]func() (network.Socket, error){
		"opened": func() (network.Socket, error) {
			return New(Config{}).Open(network.IPv6, network.Datagram)
		},
		"handed over": func() (network.Socket, error) {
			c, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6loopback})
			if err != nil {
				return nil, err
			}
			defer c.Close()
			return Adopt(c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			opened, err := open()
			if err != nil {
				t.Fatal(err)
			}
			s := opened.(*socket)
			defer s.Close()
			for _, o := range []struct{ level, name int }{
				{unix.IPPROTO_IP, unix.IP_MULTICAST_ALL},
				{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL},
			} {
				v, err := unix.GetsockoptInt(s.fd, o.level, o.name)
				if err != nil || v != 0 {
					t.Errorf("option %d of level %d: got %d, %v, want 0", o.name, o.level, v, err)
				}
			}
		})
	}
}
