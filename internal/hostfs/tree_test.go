package hostfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// describeTree returns the names, contents, modes and times of a tree.
func describeTree(t testing.TB, dir string) string {
	t.Helper()
	var s strings.Builder
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(&s, path, info.Mode(), info.Size(), info.ModTime())
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&s, "%q\n", content)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.String()
}

// tryOpen opens a path and closes the result.
func tryOpen(d Dir, path string, o OpenOptions) error {
	f, sub, err := d.Open(path, o)
	if f != nil {
		f.Close()
	}
	if sub != nil {
		sub.Close()
	}
	return err
}

// readFile returns the first 64 bytes of a file.
func readFile(d Dir, path string) (string, error) {
	f, sub, err := d.Open(path, OpenOptions{Follow: true, Read: true})
	if err != nil {
		return "", err
	}
	if sub != nil {
		sub.Close()
		return "", errors.New("a directory")
	}
	defer f.Close()
	buf := make([]byte, 64)
	n, err := f.Readv([][]byte{buf})
	return string(buf[:n]), err
}
