package hostfs

import (
	"errors"
	"io"
	"strings"
	"unicode/utf16"
	"unsafe"

	"golang.org/x/sys/windows"
)

// A consoleReader reads a console like a terminal of Unix: as UTF-8, with lines that end in \n
// alone, until a line that begins with Ctrl-Z. os.File takes a read that Ctrl-C ends for the end of
// the input, which a guest could see before the interrupt ends it.
type consoleReader struct {
	// readUnits reads UTF-16.
	readUnits func(units []uint16) (int, error)
	units     [1024]uint16

	// kept is how many of units are the first part of what the next read completes.
	kept int

	// text was read and not yet taken.
	text string
}

func newConsoleReader(h windows.Handle) *consoleReader {
	return &consoleReader{readUnits: func(units []uint16) (int, error) {
		return readConsole(h, units)
	}}
}

// Read implements io.Reader.
func (c *consoleReader) Read(b []byte) (int, error) {
	for c.text == "" {
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(b, c.text)
	c.text = c.text[n:]
	return n, nil
}

func (c *consoleReader) fill() error {
	n, err := c.readUnits(c.units[c.kept:])
	switch {
	case errors.Is(err, windows.ERROR_OPERATION_ABORTED):
		return nil
	case err != nil:
		return err
	case n == 0:
		return io.EOF
	}
	n += c.kept
	c.kept = 0
	if last := c.units[n-1]; last&0xfc00 == 0xd800 || last == '\r' && n == len(c.units) {
		n--
		c.kept = 1
	}
	c.text = strings.ReplaceAll(string(utf16.Decode(c.units[:n])), "\r\n", "\n")
	if c.kept == 1 {
		c.units[0] = c.units[n]
	}
	if strings.HasPrefix(c.text, "\x1a") {
		c.text = ""
		return io.EOF
	}
	return nil
}

var readConsoleW = windows.NewLazySystemDLL("kernel32.dll").NewProc("ReadConsoleW")

// readConsole reads from a console. Ctrl-C and Ctrl-Break end it with ERROR_OPERATION_ABORTED: the
// call succeeds, but sets that error (stdin of Rust's standard library, std/src/sys).
func readConsole(h windows.Handle, units []uint16) (int, error) {
	var n uint32
	ok, _, err := readConsoleW.Call(uintptr(h), uintptr(unsafe.Pointer(&units[0])),
		uintptr(len(units)), uintptr(unsafe.Pointer(&n)), 0)
	if ok == 0 || n == 0 && err == windows.ERROR_OPERATION_ABORTED {
		return 0, err
	}
	return int(n), nil
}
