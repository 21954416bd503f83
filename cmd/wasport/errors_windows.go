package main

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/wasport/wasport/internal/errno"
)

// systemMessage returns an error with the message that Unix has for such an error. The messages of
// Windows depend on its language.
func systemMessage(n syscall.Errno) error {
	switch {
	case n.Is(fs.ErrNotExist):
		return errors.New("no such file or directory")
	case n.Is(fs.ErrPermission):
		return errors.New("permission denied")
	case n.Is(fs.ErrExist):
		return errors.New("file exists")
	}
	return errno.Socket(n)
}
