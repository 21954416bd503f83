package memory

import (
	"cmp"
	"os"
	"slices"
)

// A Range is a part of a memory.
type Range struct{ Start, End uint64 }

// systemPage is the size of the system's pages.
var systemPage = uint64(os.Getpagesize())

const (
	// cacheLine is the unit of shifts: the alignment of a guest's data in cache lines is kept.
	cacheLine = 64

	// maxRanges bounds the ranges that Place looks at, which a module may have a million of.
	maxRanges = 256
)

// Place returns the Config.Shift with which the ranges of a memory are in as few pages of the
// system as possible, and the range first has as much room below it in its page as is left.
//
// An idle guest of a C program has touched a kilobyte below its stack's top and a few kilobytes of
// data above it. They are in two or three pages where the memory begins with a page, and in one or
// two with the right shift.
func Place(first Range, others []Range) (shift uint64) {
	if systemPage > slotGuard/4 {
		return 0 // The shift is at the expense of the guard.
	}
	ranges := append([]Range{first}, others[max(0, len(others)-maxRanges):]...)
	slices.SortFunc(ranges, func(a, b Range) int { return cmp.Compare(a.Start, b.Start) })
	least, room := ^uint64(0), uint64(0)
	for s := uint64(0); s < systemPage; s += cacheLine {
		n, below := pages(ranges, s), (first.Start+s)%systemPage
		if n < least || n == least && below > room {
			shift, least, room = s, n, below
		}
	}
	return shift
}

// pages counts the pages that ranges, sorted by their start, are in with a shift.
func pages(ranges []Range, shift uint64) (n uint64) {
	next := uint64(0) // the first page that has not been counted
	for _, r := range ranges {
		if r.Start >= r.End {
			continue
		}
		start, end := (r.Start+shift)/systemPage, (r.End-1+shift)/systemPage+1
		if start = max(start, next); end > start {
			n, next = n+end-start, end
		}
	}
	return n
}
