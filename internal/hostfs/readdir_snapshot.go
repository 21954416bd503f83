//go:build unix

package hostfs

import (
	"os"

	"golang.org/x/sys/unix"
)

func (s *snapshot) list(dirfd int, cookie uint64, yield func(Entry) bool) error {
	return s.each(cookie,
		func() ([]string, error) {
			// With a descriptor of its own, since reading moves the position.
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
