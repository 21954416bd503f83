package codecache

import (
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// openKey opens the key for reading, not what a symbolic link leads to. Unlike os.Open it shares
// the file with publish in another process, which still renames it: FILE_SHARE_DELETE.
func openKey(path string) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil,
		windows.OPEN_EXISTING, windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// keyExposure returns the reason that the key is none. Else the access list of the user's
// directories protects it.
func keyExposure(info fs.FileInfo) string {
	if !info.Mode().IsRegular() {
		return "is no regular file"
	}
	return ""
}

// publish gives a complete file its name, unless there is a file of that name: MoveFile then fails
// with ERROR_ALREADY_EXISTS. A hard link would not do: DeleteFile cannot remove the one name while
// another process has the file open by the other (ERROR_SHARING_VIOLATION).
func publish(file, name string) error {
	from, err := windows.UTF16PtrFromString(file)
	if err != nil {
		return err
	}
	to, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	return windows.MoveFile(from, to)
}

// lockDir reports false: no directory is kept on Windows.
func lockDir(string) (*os.File, bool) { return nil, false }

// isPrivate is for directories that lockDir has locked.
func isPrivate(string) bool { return false }
