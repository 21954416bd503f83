// Package shortcut names the optimisations by which a guest's calls make fewer or other calls of
// the kernel, or of the host, than the guest asks for, and reads which of them are turned off.
//
// Belongs here: a name for each. Does not belong here: how one works, which the package that has it
// documents, and optimisations that nobody but a profiler could notice; those have no switch.
package shortcut

import (
	"fmt"
	"slices"
	"strings"
)

// Set is a set of shortcuts.
type Set uint32

const (
	// ReceiveAhead receives more bytes of a stream than a small read asks for (internal/system).
	ReceiveAhead Set = 1 << iota

	// SendBehind hands small sends of a stream to the kernel together (internal/system).
	SendBehind

	// Segments hands datagrams of one size and destination to the kernel together, as segments of
	// one packet (internal/system).
	Segments

	// RawCalls leaves out calls of the kernel with a known answer while a stream is connected and
	// closed (internal/system, network/kernel).
	RawCalls

	// BusyPoll looks a few times more before it waits (internal/sched).
	BusyPoll

	// NameCache answers a lookup again while its answer holds (network/guard).
	NameCache

	// ReceiveWait waits for the data of a stream within the receive (internal/system,
	// network/kernel).
	ReceiveWait

	// StreamAnswers answers a component's check-write and flush within the guest
	// (internal/engine, internal/component/link).
	StreamAnswers

	// KeptPolls looks up again only those subscriptions of a poll that have changed since the last
	// one (internal/system).
	KeptPolls

	// MemorySlots packs small memories of guests, and keeps a few of them ready for the next guest
	// (internal/engine).
	MemorySlots

	end
)

// all has every shortcut.
const all = end - 1

// names are those of the bits, from the lowest on.
var names = [...]string{"receive-ahead", "send-behind", "segments", "raw-calls", "busy-poll",
	"name-cache", "receive-wait", "stream-answers", "kept-polls", "memory-slots"}

// Each bit has a name: both are constants of one value, or this does not compile.
var _ = [1]struct{}{}[1<<len(names)-int(end)]

// without are the names, with commas between them, for configurations that name none themselves.
// Only a linker sets it, so that a whole suite of tests runs without shortcuts:
//
//	go test -ldflags '-X github.com/wasport/wasport/internal/shortcut.without=all' ./...
var without string

// Except returns the shortcuts to take, all but those with these names. "all" is the name of every
// one. A test of a shortcut passes an empty list in place of nil, to have it in any build. With a
// name that does not exist, Except returns none and an error, which lists those that do.
func Except(off []string) (Set, error) {
	taken := all
	if off == nil && without != "" {
		off = strings.Split(without, ",")
	}
	for _, name := range off {
		s, ok := parse(name)
		if !ok {
			return 0, fmt.Errorf("%q is none of all, %s", name,
				strings.Join(names[:], ", "))
		}
		taken &^= s
	}
	return taken, nil
}

// Has reports whether a set has all of another.
func (s Set) Has(other Set) bool { return s&other == other }

func parse(name string) (Set, bool) {
	if name == "all" {
		return all, true
	}
	i := slices.Index(names[:], name)
	return 1 << max(i, 0), i >= 0
}
