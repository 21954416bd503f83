package dwarf

import (
	slashpath "path"
	"strings"
)

// A file of a line table.
type file struct {
	name      []byte
	directory uint64
}

// readFiles reads the directories and files of a line table's header. The unit's directory has the
// number 0. Files count from 1 before version 5, from 0 since.
func (u *unit) readFiles(r *reader, version uint64) {
	if version >= 5 {
		u.readEntries(r, func(f file) { u.directories = append(u.directories, f.name) })
		u.readEntries(r, func(f file) { u.files = append(u.files, f) })
		return
	}
	directory, _ := u.root.find(attrCompDir)
	u.directories = [][]byte{u.text(directory)}
	for name := r.str(); len(name) > 0 && len(u.directories) < maxFiles; name = r.str() {
		u.directories = append(u.directories, name)
	}
	u.files = []file{{}}
	for name := r.str(); len(name) > 0 && len(u.files) < maxFiles; name = r.str() {
		u.files = append(u.files, file{name, r.uleb()})
		r.uleb() // The time of its last change.
		r.uleb() // Its size.
	}
}

// The content types of version 5. Source: DWARF 5, section 7.22.
const (
	contentPath      = 1
	contentDirectory = 2
)

// readEntries reads a list of directories or files of version 5: the format of an item, then the
// items.
func (u *unit) readEntries(r *reader, add func(file)) {
	var format [8]attribute
	fields := format[:min(int(r.u8()), len(format))]
	for i := range fields {
		name, form := min(r.uleb(), 0xffff), min(r.uleb(), 0xffff)
		fields[i] = attribute{name: uint16(name), form: uint16(form)}
	}
	count := r.uleb()
	for i := uint64(0); i < count && r.more(); i++ {
		r.take(0) // A step, also for an item without fields.
		var f file
		for _, at := range fields {
			switch v := u.readValue(r, at.form, 0); at.name {
			case contentPath:
				f.name = u.text(v)
			case contentDirectory:
				f.directory = v.n
			}
		}
		if i < maxFiles {
			add(f)
		}
	}
}

// path returns the path of a file, by its number. It is relative if the compiler was given a
// relative one and recorded no directory.
func (u *unit) path(number uint64) string {
	if number >= uint64(len(u.files)) {
		return ""
	}
	f := &u.files[number]
	path := string(clip(f.name, maxPath))
	if f.directory < uint64(len(u.directories)) {
		path = join(u.directories[f.directory], path)
	}
	if f.directory != 0 && len(u.directories) > 0 {
		path = join(u.directories[0], path)
	}
	if path == "" || strings.Contains(path, `\`) { // Of Windows.
		return path
	}
	return slashpath.Clean(path)
}

// join returns a path in a directory. An absolute path stays as it is, also one of Windows.
func join(directory []byte, path string) string {
	d := string(clip(directory, maxPath))
	if d == "" || path == "" || isAbsolute(path) {
		return path
	}
	return strings.TrimRight(d, `/\`) + "/" + path
}

func isAbsolute(path string) bool {
	return path[0] == '/' || path[0] == '\\' || len(path) > 1 && path[1] == ':'
}
