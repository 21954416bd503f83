package codecache

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// entry is the content of a file of the cache: the MAC of the rest, a header, the name of wazero's
// file, the notes, the module, and the contents of wazero's file.
type entry struct {
	Prepared

	// id is the hash of the module.
	id [sha256.Size]byte

	// file is the name of wazero's file.
	file string

	// code is the path of a file in wazero's directory with the machine code. Its name is not one
	// that wazero looks for.
	code string
}

const macSize = sha256.Size

// An entry that is read has at most maxGrowth bytes before its machine code for each byte of the
// source, and maxHead more.
const (
	maxGrowth = 16
	maxHead   = 1 << 20
)

// header is the beginning of an entry after its MAC.
type header struct {
	File, Notes, Module uint32 // sizes in bytes
	ID                  [sha256.Size]byte
}

// headerSize is the size of an encoded header.
const headerSize = 3*4 + sha256.Size

// newMAC begins the MAC of an entry. It binds the entry to the source and to wazero's version: an
// authentic entry of another source does not verify.
func (c *Cache) newMAC(name string) hash.Hash {
	h := hmac.New(sha256.New, c.key)
	fmt.Fprintf(h, "wasport prepared and compiled module\n%s\n%s\n", c.versionDir, name)
	return h
}

// readEntry reads an entry, and copies its machine code to wazero's directory. It reports false if
// there is no entry, if its MAC is wrong, or if the code cannot be copied.
//
// An entry whose module is out of proportion to the source is none: nothing is authentic until the
// whole is read, and the file may claim anything.
func (c *Cache) readEntry(name string, sourceSize int) (e entry, ok bool) {
	// O_NONBLOCK does not wait for the writer of a FIFO.
	f, err := os.OpenFile(filepath.Join(c.dir, name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return entry{}, false
	}
	defer f.Close()
	var want [macSize]byte
	if _, err := io.ReadFull(f, want[:]); err != nil {
		return entry{}, false
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return entry{}, false
	}
	rest := &io.LimitedReader{R: f, N: info.Size() - macSize}
	mac := c.newMAC(name)
	if e, ok = readPrepared(rest, mac, maxHead+maxGrowth*int64(sourceSize)); !ok {
		return entry{}, false
	}
	if e.code, err = c.copyCode(rest, mac); err != nil {
		return entry{}, false
	}
	if !hmac.Equal(want[:], mac.Sum(nil)) {
		os.Remove(e.code)
		return entry{}, false
	}
	return e, true
}

// readPrepared reads the part of an entry that precedes the machine code, and adds it to the MAC.
// Nothing of it is known to be authentic. It reports false if the file is shorter than it says, or
// the part has more bytes than limit.
func readPrepared(from *io.LimitedReader, mac io.Writer, limit int64) (e entry, ok bool) {
	var b [headerSize]byte
	if _, err := io.ReadFull(from, b[:]); err != nil {
		return e, false
	}
	mac.Write(b[:])
	var h header
	binary.Decode(b[:], binary.LittleEndian, &h)
	size := int64(h.File) + int64(h.Notes) + int64(h.Module)
	if size > min(from.N, limit) {
		return e, false
	}
	rest := make([]byte, size)
	if _, err := io.ReadFull(from, rest); err != nil {
		return e, false
	}
	mac.Write(rest)
	e.id, e.file = h.ID, string(rest[:h.File])
	rest = rest[h.File:]
	e.Notes, e.Module = rest[:h.Notes:h.Notes], rest[h.Notes:]
	return e, true
}

// copyCode copies the rest of an entry to a file in wazero's directory, and adds it to the MAC.
// The copy has a name that wazero does not look for, since it is not verified yet. Another process
// may write to the entry at the same time: the MAC gets the same bytes as the copy.
func (c *Cache) copyCode(from io.Reader, mac io.Writer) (path string, err error) {
	f, err := c.newCopy()
	if err != nil {
		return "", err
	}
	// Larger pieces take more memory that the process has not touched, smaller ones more calls.
	size, err := io.CopyBuffer(io.MultiWriter(mac, f), from, make([]byte, 32<<10))
	if err == nil {
		err = f.Truncate(size) // It may have been a longer spare file.
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// writeEntry writes an entry to a temporary file and renames it, so that no process reads a part of
// it (rename(2)).
func (c *Cache) writeEntry(name string, e entry, code []byte) error {
	if _, err := hex.DecodeString(e.file); err != nil || len(e.file) > 255 {
		return fmt.Errorf("wazero has made a file of an unknown kind, %s", e.file)
	}
	head, err := binary.Append(nil, binary.LittleEndian, header{File: uint32(len(e.file)),
		Notes: uint32(len(e.Notes)), Module: uint32(len(e.Module)), ID: e.id})
	if err != nil {
		return err
	}
	mac := c.newMAC(name)
	parts := [][]byte{nil, head, []byte(e.file), e.Notes, e.Module, code}
	for _, part := range parts {
		mac.Write(part)
	}
	parts[0] = mac.Sum(nil)
	f, err := os.CreateTemp(c.dir, name+".*"+tempSuffix)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // Fails after the rename.
	for _, part := range parts {
		if err == nil {
			_, err = f.Write(part)
		}
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(c.dir, name))
	}
	return err
}
