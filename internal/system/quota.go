package system

import (
	"math"
	"sync"
	"syscall"

	"github.com/wasport/wasport/internal/hostfs"
)

// entrySize is what a name in a directory is charged, with the file's own record: a block of
// most file systems.
const entrySize = 4 << 10

// quota bounds by how many bytes a guest may make the files beneath a directory larger,
// altogether: what they take on the disk is at most what they took before, and the limit. A nil
// quota bounds nothing.
//
// Size is charged, not what the host needs for it, so that holes count. What is given back is
// what the disk has gained, and at most the size: a file that is cut, or of which the last name
// and the last descriptor of the guest are gone.
type quota struct {
	limit  uint64
	onFull func() // tells that it refused something

	mu   sync.Mutex // held while sizes change, so that those before and after belong together
	used uint64
	open map[fileID]int // descriptors of the guest
}

// fileID tells files apart; the zero value stands for those that the host does not tell apart.
type fileID struct{ dev, ino uint64 }

func idOf(s hostfs.Stat) fileID { return fileID{s.Dev, s.Ino} }

func (g *Guest) newQuota(limit uint64) *quota {
	if limit == 0 {
		return nil
	}
	refuse := func() { g.RefusedBy("quota", int(min(limit, math.MaxInt))) }
	return &quota{limit: limit, onFull: refuse, open: make(map[fileID]int)}
}

// room is how much is left.
func (q *quota) room() uint64 { return q.limit - min(q.used, q.limit) }

// errFull is the error beyond the limit: POSIX knows no other in write(2) than that of a full disk.
func (q *quota) errFull() error {
	q.onFull()
	return syscall.ENOSPC
}

func (q *quota) refund(n uint64) { q.used -= min(n, q.used) }

// refundable is what the disk gains at least when a file goes.
func refundable(s hostfs.Stat) uint64 { return min(s.Size, s.Disk) }

// growth is what n bytes at an offset are charged. In a file with holes they may all be new.
func growth(s hostfs.Stat, at, n uint64) uint64 {
	grown := max(at+n, s.Size) - s.Size
	if s.Disk < s.Size {
		grown = max(grown, n)
	}
	return grown
}

// addName charges a new name that do makes.
func (q *quota) addName(do func() error) error {
	if q == nil {
		return do()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.room() < entrySize {
		return q.errFull()
	}
	err := do()
	if err == nil {
		q.used += entrySize
	}
	return err
}

// removeName gives back what goes with the name that do removes.
func (q *quota) removeName(stat func() (hostfs.Stat, error), do func() error) error {
	if q == nil {
		return do()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	s, unknown := stat()
	err := do()
	if err == nil && unknown == nil {
		q.refundName(s)
	}
	return err
}

func (q *quota) refundName(s hostfs.Stat) {
	q.refund(entrySize)
	if s.Type == hostfs.RegularFile && s.Nlink <= 1 && q.open[idOf(s)] == 0 {
		q.refund(refundable(s))
	}
}

// openFile opens a file of a directory by do, which may make it or cut it.
func (q *quota) openFile(dir *hostfs.Dir, path string, o hostfs.OpenOptions) (
	*hostfs.File, *hostfs.Dir, error,
) {
	if q == nil {
		return dir.Open(path, o)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	before, err := dir.Stat(path, o.Follow)
	isNew := err != nil
	if isNew && o.Create && q.room() < entrySize {
		return nil, nil, q.errFull()
	}
	f, sub, err := dir.Open(path, o)
	if f == nil {
		return f, sub, err
	}
	s, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	switch {
	case isNew:
		q.used += entrySize
	case o.Truncate && before.Type == hostfs.RegularFile && idOf(before) == idOf(s):
		q.refund(refundable(before))
	}
	q.open[idOf(s)]++
	return f, nil, nil
}

// closeFile closes a file, with which goes what has no name any more.
func (q *quota) closeFile(f *hostfs.File) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	s, unknown := f.Stat()
	err := f.Close()
	if err != nil || unknown != nil {
		return err
	}
	id := idOf(s)
	if q.open[id]--; q.open[id] > 0 {
		return nil
	}
	delete(q.open, id)
	if s.Type == hostfs.RegularFile && s.Nlink == 0 {
		q.refund(refundable(s))
	}
	return nil
}

// write writes as much of bufs as there is room for, at the offset that at tells.
func (q *quota) write(f *hostfs.File, bufs [][]byte, at func(size uint64) (uint64, error),
	do func([][]byte) (int, error),
) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s, err := f.Stat()
	if err != nil {
		return 0, err
	}
	offset, err := at(s.Size)
	if err != nil || offset > math.MaxInt64 || s.Type != hostfs.RegularFile {
		return do(bufs) // for its errors
	}
	want := uint64(totalLen(bufs))
	if need, room := growth(s, offset, want), q.room(); need > room {
		over := need - room
		if over >= want {
			return 0, q.errFull()
		}
		short, undo := prefix(bufs, int(want-over))
		defer undo()
		bufs = short
	}
	n, err := do(bufs)
	if n > 0 {
		q.used += growth(s, offset, uint64(n))
	}
	return n, err
}

// setSize charges what a file becomes longer, and gives back what it becomes shorter.
func (q *quota) setSize(f *hostfs.File, size uint64) error {
	return q.resize(f, size, 0, func() error { return f.SetSize(size) })
}

// resize charges or gives back the difference in size that do makes, which needs n bytes at an
// offset.
func (q *quota) resize(f *hostfs.File, offset, n uint64, do func() error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	before, err := f.Stat()
	if err != nil {
		return err
	}
	if offset > math.MaxInt64 || n > math.MaxInt64-offset {
		return do() // for its errors
	}
	need := growth(before, offset, n)
	if need > q.room() {
		return q.errFull()
	}
	err = do()
	after, unknown := f.Stat()
	switch {
	case err == nil:
		q.used += need
	case unknown == nil: // it may have got half way
		q.used += max(after.Disk, before.Disk) - before.Disk
	}
	if unknown == nil && after.Size < before.Size {
		q.refund(min(before.Size-after.Size, max(before.Disk, after.Disk)-after.Disk))
	}
	return err
}
