package policy

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Limits bound what a guest may use of what it is allowed. 0 means no limit.
type Limits struct {
	Sockets            int   // open at once
	ConnectsPerSecond  int   // TCP and UDP connects started
	LookupsPerSecond   int   // lookups started
	SendBytesPerSecond int64 // bytes of payload, all sockets together
	RecvBytesPerSecond int64 // bytes of payload, all sockets together
}

// min returns the stricter of two sets of limits.
func (l Limits) min(o Limits) Limits {
	return Limits{
		Sockets:            stricter(l.Sockets, o.Sockets),
		ConnectsPerSecond:  stricter(l.ConnectsPerSecond, o.ConnectsPerSecond),
		LookupsPerSecond:   stricter(l.LookupsPerSecond, o.LookupsPerSecond),
		SendBytesPerSecond: stricter(l.SendBytesPerSecond, o.SendBytesPerSecond),
		RecvBytesPerSecond: stricter(l.RecvBytesPerSecond, o.RecvBytesPerSecond),
	}
}

func stricter[T int | int64](a, b T) T {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// units are the units of sizes, the largest binary one first, as sizes are printed.
var units = []struct {
	name  string
	bytes int64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1},
}

// parseSize parses a number of bytes above 0, such as "10MiB" or "1500".
func parseSize(s string) (int64, bool) {
	number, unit := s, int64(1)
	for _, u := range units {
		if n, ok := strings.CutSuffix(s, u.name); ok {
			number, unit = strings.TrimSuffix(n, " "), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || n > math.MaxInt64/unit {
		return 0, false
	}
	return n * unit, true
}

// formatSize prints a size in the largest unit that loses nothing.
func formatSize(n int64) string {
	for _, u := range units {
		if n%u.bytes == 0 && n >= u.bytes {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return "0B"
}

// toml returns the table of the limits that are set; nothing if none is.
func (l Limits) toml() string {
	if l == (Limits{}) {
		return ""
	}
	out := "\n[limits]\n"
	for _, e := range []struct {
		key   string
		value int
	}{{"sockets", l.Sockets}, {"connects_per_second", l.ConnectsPerSecond}, {"lookups_per_second", l.LookupsPerSecond}} {
		if e.value != 0 {
			out += fmt.Sprintf("%s = %d\n", e.key, e.value)
		}
	}
	for _, e := range []struct {
		key   string
		value int64
	}{{"send_bytes_per_second", l.SendBytesPerSecond}, {"recv_bytes_per_second", l.RecvBytesPerSecond}} {
		if e.value != 0 {
			out += fmt.Sprintf("%s = %q\n", e.key, formatSize(e.value))
		}
	}
	return out
}
