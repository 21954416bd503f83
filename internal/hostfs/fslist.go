package hostfs

import (
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
	"syscall"
)

// fsLister lists a directory of an fs.FS. A cookie counts the entries before it, "." and ".."
// included. A call that continues the last one goes on; an earlier cookie begins a new listing and
// skips. So a directory of any size takes little memory of the host.
type fsLister struct {
	tree *fsTree
	name string

	// mu protects the fields below. It is held while the directory is read and while yield runs.
	mu sync.Mutex
	// dir is the directory while a listing is under way.
	dir fs.ReadDirFile
	// batch has the entries that were read and not delivered. The first one has the number next.
	batch []fs.DirEntry
	next  uint64
	// ended tells that no entries follow batch.
	ended bool
	// known is the largest cookie that was given out.
	known uint64
}

const (
	// fsBatch is the number of entries that are read at a time.
	fsBatch = 128
	// dotEntries is the number of entries that come first: "." and "..".
	dotEntries = 2
)

// list implements ReadDir. A cookie that was never given out is EINVAL.
func (l *fsLister) list(cookie uint64, yield func(Entry) bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if cookie > l.known {
		return syscall.EINVAL
	}
	if cookie == 0 {
		l.stop()
	}
	for ; cookie < dotEntries; cookie++ {
		e := Entry{Next: cookie + 1, Ino: l.tree.ino(l.name), Type: Directory, Name: []byte(".")}
		if cookie == 1 {
			e.Name, e.Ino = []byte(".."), l.tree.ino(path.Dir(l.name))
		}
		l.known = max(l.known, e.Next)
		if !yield(e) {
			return nil
		}
	}
	return l.listFrom(cookie-dotEntries, yield)
}

// listFrom lists from the entry with a number on.
func (l *fsLister) listFrom(number uint64, yield func(Entry) bool) error {
	if number < l.next {
		l.stop()
	}
	for {
		if len(l.batch) == 0 && !l.ended {
			if err := l.fill(); err != nil {
				return err
			}
		}
		if len(l.batch) == 0 {
			return nil
		}
		if name := l.batch[0].Name(); l.next >= number && validEntry(name) {
			e := Entry{Next: l.next + dotEntries + 1, Ino: l.tree.ino(path.Join(l.name, name)),
				Type: fsType(l.batch[0].Type()), Name: []byte(name)}
			l.known = max(l.known, e.Next)
			if !yield(e) {
				return nil
			}
		}
		l.batch = l.batch[1:]
		l.next++
	}
}

// validEntry reports whether an entry can be opened by its name.
func validEntry(name string) bool {
	return fs.ValidPath(name) && name != "." && !strings.ContainsAny(name, "/\x00") &&
		len(name) <= maxFSName
}

// fill reads the next batch. A directory whose file cannot list it is read by the fs.FS, at once.
func (l *fsLister) fill() error {
	if l.dir == nil {
		f, err := l.tree.fsys.Open(l.name)
		if err != nil {
			return fsError(err)
		}
		dir, ok := f.(fs.ReadDirFile)
		if !ok {
			f.Close()
			l.batch, err = fs.ReadDir(l.tree.fsys, l.name)
			l.ended = true
			return fsError(err)
		}
		l.dir = dir
	}
	batch, err := l.dir.ReadDir(fsBatch)
	l.batch = batch
	if err == io.EOF || err == nil && len(batch) == 0 {
		err = nil
		l.ended = true
		l.closeDir()
	}
	return fsError(err)
}

// stop ends a listing, so that the next one begins at the first entry.
func (l *fsLister) stop() {
	l.closeDir()
	l.batch, l.next, l.ended = nil, 0, false
}

func (l *fsLister) closeDir() {
	if dir := l.dir; dir != nil {
		l.dir = nil
		dir.Close()
	}
}
