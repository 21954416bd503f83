package hostfs

import (
	"errors"
	"io"
	"os"
)

// A Stream is an open file of the process that its system cannot read or write without blocking.
// It has no position, and Read and Write may block for ever.
type Stream struct {
	file     *os.File
	in       io.Reader // file, or what reads it
	stat     Stat
	terminal bool
}

// Stat returns the properties of the file.
func (s *Stream) Stat() Stat { return s.stat }

// Terminal reports whether the file is a terminal.
func (s *Stream) Terminal() bool { return s.terminal }

// Read implements io.Reader.
func (s *Stream) Read(b []byte) (int, error) {
	n, err := s.in.Read(b)
	if errors.Is(err, io.EOF) {
		return n, io.EOF
	}
	return n, posix(err)
}

// Write implements io.Writer.
func (s *Stream) Write(b []byte) (int, error) {
	n, err := s.file.Write(b)
	return n, posix(err)
}
