package policy

import (
	"fmt"

	"github.com/wasport/wasport/internal/bytesize"
)

// Limits bound what a guest may use of what it is allowed. 0 means no limit.
type Limits struct {
	Sockets            int   // open at once
	ConnectsPerSecond  int   // TCP and UDP connects started
	LookupsPerSecond   int   // lookups started
	SendBytesPerSecond int64 // bytes of payload, all sockets together
	RecvBytesPerSecond int64 // bytes of payload, all sockets together

	// SocketMemory is how many bytes of the host's memory the queues of all sockets may take. A
	// guest is never without such a limit: where none is set, package guard has one.
	SocketMemory int64
}

// strictest returns the stricter of two sets of limits.
func (l Limits) strictest(o Limits) Limits {
	return Limits{
		Sockets:            minLimit(l.Sockets, o.Sockets),
		SocketMemory:       minLimit(l.SocketMemory, o.SocketMemory),
		ConnectsPerSecond:  minLimit(l.ConnectsPerSecond, o.ConnectsPerSecond),
		LookupsPerSecond:   minLimit(l.LookupsPerSecond, o.LookupsPerSecond),
		SendBytesPerSecond: minLimit(l.SendBytesPerSecond, o.SendBytesPerSecond),
		RecvBytesPerSecond: minLimit(l.RecvBytesPerSecond, o.RecvBytesPerSecond),
	}
}

func minLimit[T int | int64](a, b T) T {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
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
	}{{"sockets", l.Sockets}, {"connects_per_second", l.ConnectsPerSecond}, {"lookups_per_second",
		l.LookupsPerSecond}} {
		if e.value != 0 {
			out += fmt.Sprintf("%s = %d\n", e.key, e.value)
		}
	}
	for _, e := range []struct {
		key   string
		value int64
	}{{"socket_memory", l.SocketMemory}, {"send_bytes_per_second",
		l.SendBytesPerSecond}, {"recv_bytes_per_second", l.RecvBytesPerSecond}} {
		if e.value != 0 {
			out += fmt.Sprintf("%s = %q\n", e.key, bytesize.Format(uint64(e.value)))
		}
	}
	return out
}
