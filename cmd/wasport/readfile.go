package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/wasport/wasport/internal/bytesize"
)

// Some files have no end, such as /dev/zero. So no more than this is read of one.
const (
	// maxModuleSize is five times the size of the largest programs of Go. To compile a module of
	// this size would take half an hour.
	maxModuleSize = 256 << 20
	maxPolicySize = 16 << 20
)

// readFile reads a file of at most limit bytes. Of one that does not begin with magic, it reads the
// beginning alone.
func readFile(file string, limit int, magic string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := readAtMost(f, limit, magic)
	if err != nil { // Windows reports another error for a directory
		if info, statErr := f.Stat(); statErr == nil && info.IsDir() {
			err = &fs.PathError{Op: "read", Path: file, Err: syscall.EISDIR}
		}
	}
	return b, err
}

func readAtMost(r io.Reader, limit int, magic string) ([]byte, error) {
	var b bytes.Buffer
	const beginning = 4 << 10
	if _, err := io.CopyN(&b, r, beginning); err == io.EOF {
		return b.Bytes(), nil
	} else if err != nil || !bytes.HasPrefix(b.Bytes(), []byte(magic)) {
		return b.Bytes(), err
	}
	if f, ok := r.(*os.File); ok {
		// A buffer that grows is copied, and takes memory that the process has not touched.
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			b.Grow(int(min(info.Size(), int64(limit))) + bytes.MinRead)
		}
	}
	if _, err := b.ReadFrom(io.LimitReader(r, int64(limit-beginning+1))); err != nil {
		return nil, err
	}
	if b.Len() > limit {
		return nil, fmt.Errorf("it is larger than %s", bytesize.Format(uint64(limit)))
	}
	return b.Bytes(), nil
}
