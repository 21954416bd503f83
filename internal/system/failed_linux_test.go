package system

import (
	"io"
	"net"
	"syscall"
	"testing"
)

// TestBytesBeforeFailure has the peer send 10 bytes and reset the connection, which a poll sees.
// The bytes come before the error, as in tcp(7); other systems may discard them.
func TestBytesBeforeFailure(t *testing.T) {
	reset := func(r *reader) error { return r.peer.(*net.TCPConn).SetLinger(0) }
	// With unread bytes the peer's close is a reset (RFC 2525, section 2.17).
	endAndReset := func(r *reader) error {
		if _, err := r.Send(r.fd, [][]byte{{1}}, noAddress, 0); err != nil {
			return err
		}
		if _, err := io.ReadFull(r.peer, make([]byte, 1)); err != nil {
			return err
		}
		if _, err := r.Send(r.fd, [][]byte{{1}}, noAddress, 0); err != nil {
			return err
		}
		return r.peer.(*net.TCPConn).CloseWrite()
	}
	for _, test := range []struct {
		name       string
		fail       func(*reader) error
		how        TransferFlags
		after      error
		afterwards error // of a send
	}{
		{"reset", reset, 0, syscall.ECONNRESET, syscall.EPIPE},
		{"reset, with WaitAll", reset, WaitAll, syscall.ECONNRESET, syscall.EPIPE},
		{"reset after the end", endAndReset, 0, nil, syscall.EPIPE},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newReader(t)
			r.send(10)
			if err := test.fail(r); err != nil {
				t.Fatal(err)
			}
			r.peer.Close()
			if _, err := r.Poll([]Subscription{{Kind: Failing, FD: r.fd}}, false); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				in := []Subscription{{Kind: Reading, FD: r.fd, CountBytes: true}}
				got, err := r.Poll(in, false)
				if err != nil || len(got) != 1 || got[0].Err == nil || got[0].Bytes != 10 {
					t.Errorf("poll: got %v, %v, want an error and 10 bytes", got, err)
				}
			}
			for _, want := range []struct {
				room, n int
				how     TransferFlags
				err     error
			}{
				{4, 4, Peek, nil}, {4, 4, 0, nil}, {20, 6, test.how, nil},
				{20, 0, 0, test.after}, {20, 0, 0, nil},
			} {
				got, err := r.Recv(r.fd, [][]byte{make([]byte, want.room)}, want.how)
				if got.N != want.n || err != want.err {
					t.Errorf("got %v, %v, want %v, %v", got.N, err, want.n, want.err)
				}
			}
			if _, err := r.Send(r.fd, [][]byte{{1}}, noAddress, 0); err != test.afterwards {
				t.Errorf("send: got %v, want %v", err, test.afterwards)
			}
		})
	}
}
