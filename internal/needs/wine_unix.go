//go:build !windows

package needs

import (
	"strings"

	"golang.org/x/sys/unix"
)

func onWine() bool { return false }

// System returns the name of the system that the tests meet, as Go spells it.
func System() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return ""
	}
	return strings.ToLower(unix.ByteSliceToString(name.Sysname[:]))
}
