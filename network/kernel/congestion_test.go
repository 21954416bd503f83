package kernel

import (
	"os"
	"syscall"
	"testing"
	"time"
)

func TestCongestion(t *testing.T) {
	var c congestion
	wants := func(err, want error) {
		t.Helper()
		if got := c.outcome(err); got != want {
			t.Errorf("%v after %d refusals: got %v, want %v", err, c.refusals.Load(), got, want)
		}
	}
	refuse := func(n int) {
		t.Helper()
		for range n {
			wants(syscall.ENOBUFS, syscall.EAGAIN)
		}
	}
	if err := c.pause(time.Unix(1, 0)); err != nil {
		t.Errorf("pause without a refusal: got %v, want nil", err)
	}
	refuse(maxRefusals - 1)
	if err := c.pause(time.Time{}); err != nil {
		t.Errorf("pause: got %v, want nil", err)
	}
	if err := c.pause(time.Unix(1, 0)); err != os.ErrDeadlineExceeded {
		t.Errorf("pause after the deadline: got %v, want %v", err, os.ErrDeadlineExceeded)
	}
	wants(nil, nil)
	refuse(maxRefusals)
	wants(syscall.ENOBUFS, syscall.ENOBUFS)
	refuse(maxRefusals)
	wants(syscall.EHOSTUNREACH, syscall.EHOSTUNREACH)
	refuse(1)
}
