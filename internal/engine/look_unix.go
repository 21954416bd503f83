//go:build unix

package engine

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// looker says something to itself, along a pipe that Go's poller watches, and waits for it. It hears it when the scheduler looks there,
// which then sees all else that has arrived.
type looker struct {
	in, out *os.File // nil until the first look
	failed  bool     // there are no descriptors for them
	wait    func(func(uintptr) bool) error
	check   func(uintptr) bool // made once, since it would be allocated for each look
	said    bool               // and not heard; what came too late for one look ends the next
	byte    [1]byte
}

// up looks, for no longer than lookFor. It is called by one thread at a time.
func (l *looker) up() {
	if l.in == nil && (l.failed || !l.open()) {
		return
	}
	l.in.SetReadDeadline(time.Now().Add(lookFor))
	l.wait(l.check)
}

func (l *looker) open() bool {
	in, out, err := os.Pipe()
	if err != nil {
		l.failed = true
		return false
	}
	raw, err := in.SyscallConn()
	if err != nil {
		in.Close()
		out.Close()
		l.failed = true
		return false
	}
	l.in, l.out, l.wait = in, out, raw.Read
	l.check = l.hear
	return true
}

// hear is called before the poller waits, where it speaks, and when there is something to hear.
func (l *looker) hear(fd uintptr) bool {
	if l.said {
		_, err := unix.Read(int(fd), l.byte[:])
		l.said = err != nil
		return true
	}
	_, err := l.out.Write(l.byte[:])
	l.said = err == nil
	return err != nil
}

func (l *looker) close() {
	if l.in != nil {
		l.in.Close()
		l.out.Close()
	}
}
