//go:build unix

package hostfs

import (
	"os"

	"golang.org/x/sys/unix"
)

func (s *snapshot) list(dirfd int, cookie uint64, yield func(Entry) bool) error {
	return s.listNames(cookie,
		func() ([]string, error) {
			// Reading moves the position, so it uses a descriptor of its own.
			fd, err := openAt(dirfd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			if err != nil {
				return nil, err
			}
			d := os.NewFile(uintptr(fd), ".")
			defer d.Close()
			return d.Readdirnames(-1)
		},
		func(e *Entry) error {
			st, err := (place{fd: dirfd, name: string(e.Name)}).stat()
			e.Ino, e.Type = st.Ino, st.Type
			return err
		},
		yield)
}
