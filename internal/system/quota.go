package system

import (
	"math"
	"sync"
	"syscall"

	"github.com/wasport/wasport/internal/hostfs"
)

// entrySize is the charge of a name in a directory, in bytes: one block of most file systems, for
// the entry and the inode.
const entrySize = 4 << 10

// quota bounds by how many bytes a guest makes the files beneath a directory larger. It holds for
// all threads together, over the whole run. A nil quota is unlimited.
//
// A file is charged its growth in size, so that holes count as if they were full. A file that is
// cut, or whose last name and last open descriptor are gone, is refunded: the disk space that it
// held, at most its size.
type quota struct {
	limit uint64
	// onFull reports to Config.OnLimit that the quota has refused something.
	onFull func()

	// mu protects the fields below. It is also held across each system call that can change the
	// size of a file beneath the directory, or the names there, from the look at the file before
	// the call to the charge after it. So no other thread of the guest changes the file in between,
	// and the change that is charged is that of this call alone.
	mu   sync.Mutex
	used uint64

	// open counts the guest's descriptors of each file.
	open map[fileID]int
}

// fileID identifies a file. All files have the zero value on a host that has no inode numbers.
type fileID struct{ dev, ino uint64 }

func idOf(s hostfs.Stat) fileID { return fileID{s.Dev, s.Ino} }

func (g *Guest) newQuota(limit uint64) *quota {
	if limit == 0 {
		return nil
	}
	refuse := func() { g.ReportLimit("quota", int(min(limit, math.MaxInt))) }
	return &quota{limit: limit, onFull: refuse, open: make(map[fileID]int)}
}

// room returns how many bytes are left.
func (q *quota) room() uint64 { return q.limit - min(q.used, q.limit) }

// errFull reports that the quota is used up, and returns ENOSPC: POSIX, write has no closer errno.
func (q *quota) errFull() error {
	q.onFull()
	return syscall.ENOSPC
}

func (q *quota) refund(n uint64) { q.used -= min(n, q.used) }

// refundable returns how many bytes the disk gains at least if a file is removed.
func refundable(s hostfs.Stat) uint64 { return min(s.Size, s.Disk) }

// growth returns the charge of n bytes at an offset. In a file with holes all n bytes may be new.
func growth(s hostfs.Stat, at, n uint64) uint64 {
	grown := max(at+n, s.Size) - s.Size
	if s.Disk < s.Size {
		grown = max(grown, n)
	}
	return grown
}

// addName charges the name that do makes.
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

// removeName refunds the name that do removes, and the file if it was the last one.
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

// openFile opens a path with dir.Open, charges a new name and refunds a file that the open has cut.
func (q *quota) openFile(dir hostfs.Dir, path string, o hostfs.OpenOptions) (
	hostfs.File, hostfs.Dir, error,
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

// closeFile closes a file. If it was the last descriptor of a file without names, the file is
// refunded.
func (q *quota) closeFile(f hostfs.File) error {
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

// write writes as many bytes of bufs as the quota allows. at returns the offset for a file of the
// given size.
func (q *quota) write(f hostfs.File, bufs [][]byte, at func(size uint64) (uint64, error),
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
		return do(bufs) // it returns the right error
	}
	want := uint64(totalLen(bufs))
	if need, room := growth(s, offset, want), q.room(); need > room {
		over := need - room
		if over >= want {
			return 0, q.errFull()
		}
		var last []byte
		bufs, last = prefix(bufs, int(want-over))
		defer func() { bufs[len(bufs)-1] = last }()
	}
	n, err := do(bufs)
	if n > 0 {
		q.used += growth(s, offset, uint64(n))
	}
	return n, err
}

// setSize charges or refunds a change of a file's size.
func (q *quota) setSize(f hostfs.File, size uint64) error {
	return q.resize(f, size, 0, func() error { return f.SetSize(size) })
}

// resize charges the growth of a call that writes n bytes at an offset, and refunds a file that the
// call has made smaller.
func (q *quota) resize(f hostfs.File, offset, n uint64, do func() error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	before, err := f.Stat()
	if err != nil {
		return err
	}
	if offset > math.MaxInt64 || n > math.MaxInt64-offset {
		return do() // it returns the right error
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
	case unknown == nil: // a part may have been done
		q.used += max(after.Disk, before.Disk) - before.Disk
	}
	if unknown == nil && after.Size < before.Size {
		q.refund(min(before.Size-after.Size, max(before.Disk, after.Disk)-after.Disk))
	}
	return err
}
