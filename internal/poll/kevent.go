package poll

// The flags of struct kevent that matter here, which are the same on darwin and the BSDs
// (kevent(2), sys/event.h).
const (
	keventAdd    = 0x0001
	keventDelete = 0x0002
	// keventClear makes an event come once for each change.
	keventClear = 0x0020
	keventError = 0x4000
	// keventEOF tells that the other end is gone, or that the connection has failed.
	keventEOF = 0x8000
)

// kevent holds the fields of struct kevent that matter here. Its filter is one of the two.
type kevent struct {
	fd     int
	filter filters
	flags  int
}

// changesTo returns the entries of a change list that add the filters of a descriptor to a kqueue,
// or that delete them.
func changesTo(fd int, f filters, flags int) []kevent {
	var list []kevent
	for _, one := range [...]filters{readFilter, writeFilter} {
		if f&one != 0 {
			list = append(list, kevent{fd, one, flags})
		}
	}
	return list
}

// edgeOf returns the event that a kqueue reports. The end of a connection concerns both directions,
// whichever filter tells it.
func edgeOf(k kevent) edge {
	if k.flags&(keventEOF|keventError) != 0 {
		return edge{k.fd, readFilter | writeFilter}
	}
	return edge{k.fd, k.filter}
}
