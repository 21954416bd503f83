package kernel_test

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
)

// Close comes at any moment of a wait, while other sockets reuse the descriptor numbers.
func TestCloseDuringWaitAndRecv(t *testing.T) {
	testutil.NoGoroutineLeak(t)
	at := netip.MustParseAddrPort("127.0.0.1:0")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 60 {
				s := open(t, network.IPv4, network.Datagram)
				check(t, s.Bind(at))
				var users sync.WaitGroup
				users.Go(func() {
					for {
						if _, err := s.Wait(network.Readable,
							time.Now().Add(time.Hour)); err != nil {
							wantErr(t, "wait", err, errClosed)
							return
						}
					}
				})
				users.Go(func() {
					b := make([]byte, 8)
					for {
						if _, err := s.Recv(one(b), 0); err == errClosed {
							return
						}
					}
				})
				if i%2 == 0 {
					time.Sleep(time.Duration(i) * time.Microsecond)
				}
				check(t, s.Close())
				users.Wait()
			}
		})
	}
	all.Wait()
}
