package dial_test

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/dial"
)

// TestCloseOfStuckDatagrams closes a socket whose datagrams the program does not take, or panics
// with. Its connection is closed all the same, later.
func TestCloseOfStuckDatagrams(t *testing.T) {
	for name, write := range map[string]func(ended <-chan struct{}){
		"blocks": func(ended <-chan struct{}) { <-ended },
		"panics": func(<-chan struct{}) { time.Sleep(time.Second); panic("boom") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan struct{})
				n := dial.New(dial.Config{ListenPacket: func(string, string) (net.PacketConn,
					error) {
					return stuckPackets{ended: ended, write: write}, nil
				}})
				s, err := n.Open(network.IPv4, network.Datagram)
				if err != nil {
					t.Fatal(err)
				}
				_, err = s.Send([][]byte{[]byte("hello")}, target)
				wantErr(t, "send", err, nil)
				wantErr(t, "close", s.Close(), nil)
				<-ended // otherwise the test ends as a deadlock
			})
		})
	}
}

// stuckPackets is a net.PacketConn that receives nothing before it is closed.
type stuckPackets struct {
	net.PacketConn
	ended chan struct{}
	write func(ended <-chan struct{})
}

func (p stuckPackets) ReadFrom([]byte) (int, net.Addr, error) {
	<-p.ended
	return 0, nil, net.ErrClosed
}

func (p stuckPackets) WriteTo([]byte, net.Addr) (int, error) {
	p.write(p.ended)
	return 0, net.ErrClosed
}

func (p stuckPackets) LocalAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4zero, Port: 7} }
func (p stuckPackets) Close() error        { close(p.ended); return nil }
