//go:build !portable

package system

import (
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/internal/testutil"
)

// inLimit runs a test in a network namespace where the kernel takes few bytes that it cannot send
// yet, however much room their queue has (tcp(7), TCP_NOTSENT_LOWAT).
func inLimit(t *testing.T, body func(t *testing.T, s *sender)) {
	testutil.InNamespaces(t, unix.CLONE_NEWNET, nil, func(t *testing.T) {
		testutil.BringUp(t, "lo")
		limit := "/proc/sys/net/ipv4/tcp_notsent_lowat"
		if err := os.WriteFile(limit, []byte("16384"), 0); err != nil {
			t.Fatal(err)
		}
		body(t, newSender(t))
	})
}

// fill sends until the kernel takes no more, and returns how many bytes the guest was told of.
func (s *sender) fill(i int) (told int) {
	s.t.Helper()
	for {
		s.EnterSend(&importName)
		n, err := s.Send(s.fds[i], [][]byte{make([]byte, 1000)}, noAddress, DontWait)
		s.LeaveCall()
		if told += n; err == syscall.EAGAIN {
			return told
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// TestCloseOfFullStream closes a stream whose peer reads only then.
func TestCloseOfFullStream(t *testing.T) {
	inLimit(t, func(t *testing.T, s *sender) {
		told := s.fill(0)
		s.call(func() { s.CloseFD(s.fds[0]) })
		got, err := io.ReadAll(s.peers[0])
		if len(got) != told || err != nil {
			t.Errorf("got %d bytes, %v, want %d and the end", len(got), err, told)
		}
	})
}

// TestFullStreamBesideAnother sends through another stream before the peer of a full one reads.
func TestFullStreamBesideAnother(t *testing.T) {
	inLimit(t, func(t *testing.T, s *sender) {
		told := s.fill(0)
		for range 3 * minSendRun {
			s.send(1, 100)
		}
		s.call(func() {})
		s.peers[0].SetReadDeadline(time.Now().Add(10 * time.Second))
		n, err := io.ReadFull(s.peers[0], make([]byte, told))
		if err != nil {
			t.Errorf("got %d bytes, %v, want %d", n, err, told)
		}
	})
}
