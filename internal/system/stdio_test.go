package system

import (
	"context"
	"os"
	"testing"

	"github.com/wasport/wasport/internal/wasi"
)

// device is a device that a test may open, and whether it is a terminal.
type device struct {
	path     string
	terminal bool
}

// TestTerminalHasNoPosition checks that a terminal, and no other device, has the properties by
// which wasi-libc's isatty recognises one: no rights to seek and tell.
func TestTerminalHasNoPosition(t *testing.T) {
	for _, device := range devices {
		t.Run(device.path, func(t *testing.T) {
			f, err := os.OpenFile(device.path, os.O_RDWR, 0)
			if err != nil {
				t.Skip(err)
			}
			defer f.Close()
			g, err := New(context.Background(), Config{Stdin: f, Stdout: f, Stderr: f})
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			for fd := range int32(3) {
				s, err := g.Fdstat(fd)
				if err != nil || s.Type != wasi.FiletypeCharacterDevice {
					t.Fatalf("got type %d, %v, want a character device", s.Type, err)
				}
				if terminal := s.Base&(wasi.RightFdSeek|
					wasi.RightFdTell) == 0; terminal != device.terminal {
					t.Errorf("descriptor %d: got terminal %v, want %v", fd, terminal,
						device.terminal)
				}
				if pos, err := g.Seek(fd, 0, wasi.WhenceCur); !device.terminal &&
					(pos != 0 || err != nil) {
					t.Errorf("descriptor %d: got position %d, %v, want 0", fd, pos, err)
				}
			}
		})
	}
}
