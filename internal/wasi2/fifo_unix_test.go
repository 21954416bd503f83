//go:build unix

package wasi2

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/internal/hostfs"
)

// TestFIFO reads and writes a FIFO by streams, which wait for its other end.
func TestFIFO(t *testing.T) {
	inBothForms(t, func(t *testing.T, form func(*caller) *caller) {
		dir := t.TempDir()
		path := filepath.Join(dir, "fifo")
		if err := unix.Mkfifo(path, 0o600); err != nil {
			t.Skip(err)
		}
		c, root := newFiles(t, dir, hostfs.ReadWrite)
		form(c)
		fifo := c.open(root, "fifo", "r")
		c.wants(`ok(fifo)`, descriptorMethod+"get-type", fifo)
		c.wants(`err(invalid-seek)`, descriptorMethod+"read", fifo, 1, 0)
		entries := c.handle(descriptorMethod+"read-directory", root)
		c.wants(`ok(some((fifo, "fifo")))`,
			"filesystem/types.[method]directory-entry-stream.read-directory-entry", entries)
		other, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		in := c.handle(descriptorMethod+"read-via-stream", fifo, 7) // where the FIFO is
		c.wants(`ok("")`, inStream+"read", in, 5)
		go other.WriteString("hello")
		c.wants(`ok("hello")`, inStream+"blocking-read", in, 5)
		out := c.handle(descriptorMethod+"append-via-stream", c.open(root, "fifo", "w"))
		c.wants(`ok`, outStream+"blocking-write-and-flush", out, "back")
		c.wants(`ok("back")`, inStream+"blocking-read", in, 5)
	})
}
