package system

import (
	"fmt"
	"io"
	"os"
	"reflect"

	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/wasi"
)

// newStdin makes d the descriptor of stdin.
func (g *Guest) newStdin(d *ownDescriptor, r io.Reader) (*descriptor, error) {
	rights := wasi.RightsStream &^ wasi.RightFdWrite
	switch r := r.(type) {
	case nil:
		return d.describe(empty{}, rights, 0), nil
	case *os.File:
		f, blocking, err := hostfs.FromOS(r)
		if err != nil {
			return nil, fmt.Errorf("Config.Stdin: %w", err)
		}
		if blocking == nil {
			return d.describeStdio(file{File: f}, rights), nil
		}
		s := newSource(blocking, g.KillForPanic)
		s.from = blocking
		return d.describeStdio(s, rights), nil
	}
	return d.describe(newSource(r, g.KillForPanic), rights, 0), nil
}

const outputRights = wasi.RightsStream &^ wasi.RightFdRead

// newOutput makes d the descriptor of an output. name is "Config.Stdout" or "Config.Stderr".
func (g *Guest) newOutput(d *ownDescriptor, name string, w io.Writer) (*descriptor, error) {
	switch w := w.(type) {
	case nil:
		return d.describe(discard{}, outputRights, 0), nil
	case *os.File:
		f, blocking, err := hostfs.FromOS(w)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if blocking == nil {
			return d.describeStdio(file{File: f}, outputRights), nil
		}
		s := g.newSink(name, blocking)
		s.from = blocking
		return d.describeStdio(s, outputRights), nil
	}
	return d.describe(g.newSink(name, w), outputRights, 0), nil
}

func (g *Guest) newSink(name string, w io.Writer) *sink {
	s := newSink(name, w, g.KillForPanic)
	if g.sinks[0] == nil {
		g.sinks[0] = s
	} else {
		g.sinks[1] = s
	}
	return s
}

// describeStdio makes d the descriptor of a standard stream that is a file of the host.
func (d *ownDescriptor) describeStdio(o interface {
	object
	Terminal() bool
}, rights wasi.Rights) *descriptor {
	if o.filetype() == wasi.FiletypeCharacterDevice && !o.Terminal() {
		// wasi-libc's isatty takes a character device without the rights to seek and tell for a
		// terminal; /dev/null is none.
		rights |= wasi.RightFdTell
	}
	return d.describe(o, rights, 0)
}

// newStderr makes d the descriptor of stderr. If stdout has the same writer, both share one sink,
// so that the writer is not called by two goroutines at once.
func (g *Guest) newStderr(
	d *ownDescriptor, w io.Writer, stdout *descriptor,
) (*descriptor, error) {
	if stdout != nil && w != nil && reflect.ValueOf(w).Comparable() {
		if s, ok := stdout.object.(*sink); ok && s.w == w {
			return d.describe(s, outputRights, 0), nil
		}
	}
	return g.newOutput(d, "Config.Stderr", w)
}

// Terminal reports whether the descriptor is a terminal of the host.
func (g *Guest) Terminal(fd int32) bool {
	d, err := g.table.lookup(fd)
	if err != nil {
		return false
	}
	t, ok := d.object.(interface{ Terminal() bool })
	return ok && t.Terminal()
}
