package wasi2

import (
	"crypto/sha256"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
)

// descriptorFlags are descriptor-flags of wasi:filesystem/types.
type descriptorFlags uint8

const (
	flagRead descriptorFlags = 1 << iota
	flagWrite
	flagFileIntegritySync
	flagDataIntegritySync
	flagRequestedWriteSync
	flagMutateDirectory
)

// fdflags returns the flags for an open file that stand for the synchronization.
func (f descriptorFlags) fdflags() (flags wasi.Fdflags) {
	if f&flagFileIntegritySync != 0 {
		flags |= wasi.FdflagSync
	}
	if f&flagDataIntegritySync != 0 {
		flags |= wasi.FdflagDsync
	}
	if f&flagRequestedWriteSync != 0 {
		flags |= wasi.FdflagRsync
	}
	return flags
}

// openFlags are open-flags.
type openFlags uint8

const (
	openCreate openFlags = 1 << iota
	openDirectory
	openExclusive
	openTruncate
)

func (f openFlags) oflags() (flags uint16) {
	for bit, flag := range map[openFlags]uint16{
		openCreate: wasi.OflagCreat, openDirectory: wasi.OflagDirectory,
		openExclusive: wasi.OflagExcl, openTruncate: wasi.OflagTrunc,
	} {
		if f&bit != 0 {
			flags |= flag
		}
	}
	return flags
}

// descriptor is a descriptor: an open file or directory.
type descriptor struct {
	*description
	typ wasi.Filetype

	// flags are those that it was opened with. A directory has flagMutateDirectory if the
	// preopened one has, whatever the guest asked for.
	flags descriptorFlags
}

// preopened returns new descriptors of the preopened directories, with their names.
func (g *Guest) preopened() (list []*descriptor, names []string) {
	for _, p := range g.Preopens() {
		d := g.preopens[p.FD]
		if d == nil {
			d = newDescription(p.FD, ofFile)
			d.permanent = true
			g.preopens[p.FD] = d
		}
		flags := flagRead
		if p.Access == hostfs.ReadWrite {
			flags |= flagWrite | flagMutateDirectory
		}
		list = append(list, &descriptor{d.use(), wasi.FiletypeDirectory, flags})
		names = append(names, p.Name)
	}
	if len(list) == 0 {
		g.NoteNoPreopens()
	}
	return list, names
}

// openAt opens a path beneath a directory.
func (d *descriptor) openAt(g *Guest, path string, follow bool, open openFlags,
	flags descriptorFlags) (*descriptor, error) {
	if !d.isDirectory() {
		return nil, syscall.ENOTDIR
	}
	mutable := d.flags & flagMutateDirectory
	if mutable == 0 && (flags&(flagWrite|flagMutateDirectory) != 0 ||
		open&(openCreate|openTruncate) != 0) {
		return nil, syscall.EROFS
	}
	rights := wasi.RightsAll &^ (wasi.RightFdRead | wasi.RightFdWrite)
	if flags&flagRead != 0 {
		rights |= wasi.RightFdRead
	}
	if flags&flagWrite != 0 {
		rights |= wasi.RightFdWrite
	}
	fd, err := g.OpenAt(d.fd, path, system.OpenArgs{
		Follow: follow, Oflags: open.oflags(), Flags: flags.fdflags(), Base: rights,
		Inheriting: wasi.RightsAll,
	})
	if err != nil {
		return nil, err
	}
	stat, err := g.Fdstat(fd)
	if err != nil {
		return nil, err
	}
	opened := &descriptor{newDescription(fd, ofFile).use(), stat.Type, flags}
	if opened.flags &^= flagMutateDirectory; opened.isDirectory() {
		opened.flags |= mutable
	}
	return opened, nil
}

func (d *descriptor) isDirectory() bool { return d.typ == wasi.FiletypeDirectory }

// readVia returns a stream that reads a file from an offset on. A pipe or device is read where it
// is.
func (d *descriptor) readVia(offset uint64) (*input, error) {
	if d.isDirectory() || d.flags&flagRead == 0 {
		return nil, syscall.EBADF
	}
	s := newInput(d.description)
	s.file, s.offset = d.typ == wasi.FiletypeRegularFile, offset
	return s, nil
}

// writeVia returns a stream that writes a file from an offset on, or at its end.
func (d *descriptor) writeVia(to target, offset uint64) (*output, error) {
	if d.isDirectory() || d.flags&flagWrite == 0 {
		return nil, syscall.EBADF
	}
	s := newOutput(d.description)
	if d.typ == wasi.FiletypeRegularFile {
		s.target, s.offset = to, offset
	}
	return s, nil
}

// sync writes a file to the disk, or with dataOnly its data. There is nothing to do for a file that
// is not open for writing.
func (d *descriptor) sync(g *Guest, dataOnly bool) error {
	switch {
	case d.flags&(flagWrite|flagMutateDirectory) == 0:
		return nil
	case dataOnly && !d.isDirectory():
		return g.Datasync(d.fd)
	}
	return g.Sync(d.fd)
}

func (d *descriptor) setSize(g *Guest, size uint64) error {
	switch {
	case d.isDirectory():
		return syscall.EISDIR
	case d.flags&flagWrite == 0:
		return syscall.EPERM
	}
	return g.SetSize(d.fd, size)
}

// read reads into b at an offset, and reports whether that is the end.
func (d *descriptor) read(g *Guest, b []byte, offset uint64) (n int, end bool, err error) {
	if d.isDirectory() {
		return 0, false, syscall.EBADF
	}
	g.buf[0] = b
	n, err = g.Pread(d.fd, g.buf[:], offset)
	return max(n, 0), n == 0 && len(b) > 0, err
}

func (d *descriptor) write(g *Guest, b []byte, offset uint64) (int, error) {
	if d.isDirectory() {
		return 0, syscall.EBADF
	}
	g.buf[0] = b
	return g.Pwrite(d.fd, g.buf[:], offset)
}

// readlink returns the target of a symbolic link. One that is absolute names a file of the host.
func (d *descriptor) readlink(g *Guest, path string) (string, error) {
	b := g.room(maxRead)
	n, err := g.Readlink(d.fd, path, b)
	switch target := b[:max(n, 0)]; {
	case err != nil:
		return "", err
	case strings.HasPrefix(string(target), "/"):
		return "", syscall.EPERM
	case !utf8.Valid(target):
		return "", syscall.EILSEQ
	default:
		return string(target), nil
	}
}

// link makes a new name for a file. Not all hosts can follow a symbolic link there (link(2)).
func (d *descriptor) link(g *Guest, path string, follow bool, to *descriptor,
	newPath string) error {
	if follow {
		return syscall.EINVAL
	}
	return g.Link(d.fd, path, false, to.fd, newPath)
}

// sameObject reports whether two descriptors are of one file.
func (d *descriptor) sameObject(g *Guest, other *descriptor) bool {
	if d.description == other.description {
		return true
	}
	a, errA := g.Filestat(d.fd)
	b, errB := g.Filestat(other.fd)
	// A host without inode numbers has 0.
	return errA == nil && errB == nil && a.Ino != 0 && a.Dev == b.Dev && a.Ino == b.Ino
}

// metadataHash returns a hash that tells a file from others, and a changed one from before. Its key
// is the guest's, so that it tells nothing about numbers of the host.
func (g *Guest) metadataHash(s wasi.Filestat) (lower, upper uint64) {
	b := append(make([]byte, 0, 80), g.hashKey[:]...)
	for _, v := range [...]uint64{s.Dev, s.Ino, s.Size, s.Mtim, s.Ctim} {
		b = le.AppendUint64(b, v)
	}
	sum := sha256.Sum256(b)
	return le.Uint64(sum[:]), le.Uint64(sum[8:])
}

// entries is a directory-entry-stream.
type entries struct {
	*description
	cookie uint64
}

func (d *descriptor) readDirectory() (*entries, error) {
	if !d.isDirectory() {
		return nil, syscall.ENOTDIR
	}
	return &entries{description: d.use()}, nil
}

// next returns the next entry, without . and .., and false at the end.
func (e *entries) next(g *Guest) (typ wasi.Filetype, name string, ok bool, err error) {
	// The callback gets one entry more than it takes: so the next call finds its entry at hand.
	err = g.ReadDir(e.fd, e.cookie, func(entry hostfs.Entry) bool {
		if ok {
			return false
		}
		e.cookie = entry.Next
		name = string(entry.Name)
		typ = wasi.Filetype(entry.Type)
		ok = name != "." && name != ".."
		return true
	})
	if err == nil && ok && !utf8.ValidString(name) {
		err = syscall.EILSEQ
	}
	return typ, name, ok, err
}
