package hostpath

import (
	"os"
	"strconv"
	"strings"
)

// mountsBeneath lists the mount points beneath a directory (proc_pid_mountinfo(5)).
func mountsBeneath(dir string) (list []string) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	dir = strings.TrimSuffix(dir, "/") + "/"
	for line := range strings.Lines(string(text)) {
		const mountPoint = 4
		if fields := strings.Fields(line); len(fields) > mountPoint {
			if at := unescape(fields[mountPoint]); strings.HasPrefix(at, dir) {
				list = append(list, at)
			}
		}
	}
	return list
}

// unescape replaces the kernel's octal escapes of blanks and backslashes.
func unescape(s string) string {
	var b strings.Builder
	for ; s != ""; s = s[1:] {
		if s[0] == '\\' && len(s) >= 4 {
			if c, err := strconv.ParseUint(s[1:4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				s = s[3:]
				continue
			}
		}
		b.WriteByte(s[0])
	}
	return b.String()
}
