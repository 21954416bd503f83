//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package hostfs

import "golang.org/x/sys/unix"

// fionread is _IOR('f', 127, int) of sys/filio.h.
const fionread = 0x4004667f

// setTimes is exact to the microsecond: golang.org/x/sys has no futimens(2) for these systems.
func setTimes(fd int, ts *[2]unix.Timespec) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	var tv [2]unix.Timeval
	for i, old := range [...]unix.Timespec{st.Atim, st.Mtim} {
		switch ts[i].Nsec {
		case utimeOmit:
			tv[i] = unix.NsecToTimeval(old.Nano())
		case utimeNow:
			if err := unix.Gettimeofday(&tv[i]); err != nil {
				return err
			}
		default:
			tv[i] = unix.NsecToTimeval(ts[i].Nano())
		}
	}
	return unix.Futimes(fd, tv[:])
}

func datasync(fd int) error {
	return unix.Fsync(fd)
}

func allocate(fd int, offset, length int64) error {
	return growFile(fd, offset+length)
}

func advise(int, int64, int64, Advice) error {
	return nil
}

// pollable reports true for terminals: of the devices, kqueue(2) supports only these on every
// system.
func pollable(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TIOCGETA)
	return err == nil
}
