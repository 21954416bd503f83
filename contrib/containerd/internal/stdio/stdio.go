// Package stdio connects a container's standard streams with the FIFOs of containerd, directly or
// through a terminal.
//
// The FIFOs are opened for reading and writing as well, so that no open waits for containerd
// (fifo(7)). Those for output stay open until the container's end: a containerd that restarts does
// not break it. That for input is let go when the container starts, by which time its writer has
// come: the container then sees the end of its input when the writer leaves. Nothing is read or
// written here, except for a terminal.
package stdio

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Streams are a container's standard streams. Its methods may be called from several goroutines.
type Streams struct {
	// Process are the descriptors 0 to 2 of the container's process. Release closes them here.
	Process [3]*os.File

	// kept are the other ends that stay open until the container's end.
	kept []*os.File
	// copied is done when the terminal's output has been copied.
	copied sync.WaitGroup

	// mu protects the fields below it.
	mu       sync.Mutex
	input    *os.File // keeps a FIFO for input open
	terminal *os.File // the side of the shim
	closed   bool
}

// Open opens the streams that containerd names; an empty name is the null device. A name is the
// path of a FIFO, or a URI of the scheme fifo or file.
func Open(stdin, stdout, stderr string, terminal bool) (*Streams, error) {
	s := &Streams{}
	var err error
	if terminal {
		err = s.openTerminal(stdin, stdout)
	} else {
		err = s.openAll(stdin, stdout, stderr)
	}
	if err != nil {
		s.Release()
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Streams) openAll(stdin, stdout, stderr string) (err error) {
	if s.Process[0], s.input, err = openInput(stdin); err != nil {
		return err
	}
	for i, name := range []string{stdout, stderr} {
		keep, out, err := openOutput(name)
		if err != nil {
			return err
		}
		s.kept, s.Process[1+i] = append(s.kept, keep), out
	}
	return nil
}

// openInput opens a FIFO for reading. keep holds its other end open; it is nil for other files.
func openInput(name string) (in, keep *os.File, err error) {
	if name == "" {
		in, err = os.Open(os.DevNull)
		return in, nil, err
	}
	path, _, err := parse(name)
	if err != nil {
		return nil, nil, err
	}
	if keep, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
		return nil, nil, fmt.Errorf("stdin: %w", err)
	}
	if in, err = os.OpenFile(path, os.O_RDONLY, 0); err != nil {
		keep.Close()
		return nil, nil, fmt.Errorf("stdin: %w", err)
	}
	return in, keep, nil
}

// openOutput opens a FIFO or a file for writing.
func openOutput(name string) (keep, out *os.File, err error) {
	if name == "" {
		name = "file://" + os.DevNull
	}
	path, flags, err := parse(name)
	if err != nil {
		return nil, nil, err
	}
	if keep, err = os.OpenFile(path, os.O_RDWR|flags, 0o640); err != nil {
		return nil, nil, fmt.Errorf("output: %w", err)
	}
	if out, err = os.OpenFile(path, os.O_WRONLY|flags, 0); err != nil {
		keep.Close()
		return nil, nil, fmt.Errorf("output: %w", err)
	}
	return keep, out, nil
}

// parse returns the path that a stream's name stands for, and flags to open it with.
func parse(name string) (path string, flags int, err error) {
	u, err := url.Parse(name)
	switch {
	case err != nil:
		return "", 0, fmt.Errorf("the stream %q: %w", name, err)
	case u.Scheme == "" || u.Scheme == "fifo":
		return u.Path, 0, nil
	case u.Scheme == "file":
		return u.Path, os.O_CREATE | os.O_APPEND, nil
	}
	return "", 0, fmt.Errorf("the stream %q: the scheme %s is not supported; fifo and file are",
		name, u.Scheme)
}

// openTerminal makes a terminal and copies between it and the FIFOs.
func (s *Streams) openTerminal(stdin, stdout string) error {
	main, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return fmt.Errorf("terminal: %w", err)
	}
	s.terminal = main
	if err := unix.IoctlSetPointerInt(int(main.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		return fmt.Errorf("terminal: %w", err)
	}
	fd, _, errno := unix.Syscall(unix.SYS_IOCTL, main.Fd(), unix.TIOCGPTPEER,
		unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		return fmt.Errorf("terminal: %w", errno)
	}
	side := os.NewFile(fd, "terminal")
	s.Process = [3]*os.File{side, side, side}
	if err := unix.SetNonblock(int(main.Fd()), true); err != nil {
		return err
	}
	keep, out, err := openOutput(stdout)
	if err != nil {
		return err
	}
	s.kept = append(s.kept, keep, out)
	s.copied.Go(func() { io.Copy(out, main) }) // ends with EIO at the process's end
	if stdin == "" {
		return nil
	}
	in, keepIn, err := openInput(stdin)
	if err != nil {
		return err
	}
	s.kept, s.input = append(s.kept, in), keepIn
	go io.Copy(main, in)
	return nil
}

// Release closes the descriptors of the process, which has its own now.
func (s *Streams) Release() {
	for _, f := range s.Process {
		if f != nil {
			f.Close()
		}
	}
}

// CloseInput lets the end of the input be seen, once its writer has left.
func (s *Streams) CloseInput() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.input != nil {
		s.input.Close()
		s.input = nil
	}
}

// Resize sets the size of the terminal, in characters.
func (s *Streams) Resize(width, height uint16) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.terminal == nil {
		return fmt.Errorf("the container has no terminal")
	}
	conn, err := s.terminal.SyscallConn()
	if err != nil {
		return err
	}
	size := &unix.Winsize{Row: height, Col: width}
	var failed error
	err = conn.Control(func(fd uintptr) {
		failed = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, size)
	})
	if err != nil {
		return err
	}
	return failed
}

// drain is how long the end of a terminal's output may take to be read.
const drain = 10 * time.Second

// Close closes everything, after the process's end: readers of the output see its end.
func (s *Streams) Close() {
	copied := make(chan struct{})
	go func() {
		s.copied.Wait()
		close(copied)
	}()
	select {
	case <-copied:
	case <-time.After(drain): // nobody reads
	}
	s.CloseInput()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	for _, f := range s.kept {
		f.Close()
	}
	if s.terminal != nil {
		s.terminal.Close()
		s.terminal = nil
	}
}
