package hostpath

import (
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// Open opens a file as os.OpenFile does, but refuses a symbolic link, which could lead elsewhere
// the next time.
func Open(path string, flag int, perm fs.FileMode) (*os.File, error) {
	before, err := os.Lstat(path)
	if err == nil && before.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0 {
		return nil, errLink
	}
	f, openErr := os.OpenFile(path, flag, perm)
	if openErr != nil || err != nil {
		return f, openErr
	}
	if after, err := f.Stat(); err != nil || !os.SameFile(before, after) {
		f.Close()
		return nil, errLink
	}
	return f, nil
}

// absolute makes a path absolute. Windows resolves ".." in the text of a path, as filepath.Abs
// does.
func absolute(path string) (string, error) { return filepath.Abs(path) }

// linkCount returns the number of names of a file.
func linkCount(path string, _ fs.FileInfo) uint64 {
	f, err := os.Open(path)
	if err != nil {
		return 1
	}
	defer f.Close()
	var info windows.ByHandleFileInformation
	if windows.GetFileInformationByHandle(windows.Handle(f.Fd()), &info) != nil {
		return 1
	}
	return uint64(info.NumberOfLinks)
}
