package policy

import (
	"fmt"

	"github.com/wasport/wasport/internal/bytesize"
)

// Limits bound the use of the network by a guest. 0 means no limit.
type Limits struct {
	// Sockets is the number of sockets that may be open at once.
	Sockets int
	// ConnectsPerSecond is the number of TCP and UDP connects that may be started.
	ConnectsPerSecond int
	// LookupsPerSecond is the number of lookups that may be started.
	LookupsPerSecond int
	// SendBytesPerSecond is the payload that all sockets together may send, in bytes.
	SendBytesPerSecond int64
	// RecvBytesPerSecond is the payload that all sockets together may receive, in bytes.
	RecvBytesPerSecond int64

	// SocketMemory is the memory that the queues of all sockets may occupy in the host, in bytes.
	// If it is 0, package network/guard has a limit of its own.
	SocketMemory int64
}

// strictest returns the lower of each two limits.
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

// toml returns the TOML table of the limits that are set, or "".
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
