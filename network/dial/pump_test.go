package dial_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/wasport/wasport/network/dial"
)

// TestReadsForSingleBytes takes single bytes from a full queue. They cost few reads of the
// connection.
func TestReadsForSingleBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int64
		f := func(context.Context, string, string) (net.Conn, error) {
			read := func(b []byte) (int, error) { reads.Add(1); return len(b), nil }
			return hostileConn{closeFunc{func() {}}, read, nil}, nil
		}
		s, err := connect(t, dial.DialFunc(f))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // the queue is full
		before := reads.Load()
		full, err := s.Available()
		wantErr(t, "available", err, nil)
		for range full / 2 {
			if _, err := s.Recv([][]byte{make([]byte, 1)}, 0); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // what the byte is worth to the reader has happened
		}
		if n := reads.Load() - before; n == 0 || n > 8 {
			t.Errorf("got %d reads for %d bytes, want 1 to 8", n, full/2)
		}
		s.Close()
	})
}
