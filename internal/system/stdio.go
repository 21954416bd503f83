package system

import (
	"bytes"
	"io"
	"os"
	"reflect"

	"github.com/wasport/wasport/internal/wasi"
)

func (g *Guest) newStdin(r io.Reader) (*descriptor, error) {
	rights := wasi.RightsStream &^ wasi.RightFdWrite
	switch r := r.(type) {
	case nil:
		return newDescriptor(newSource(bytes.NewReader(nil), g.KillForPanic), rights, 0), nil
	case *os.File:
		return newStdio(r, rights)
	}
	return newDescriptor(newSource(r, g.KillForPanic), rights, 0), nil
}

const outputRights = wasi.RightsStream &^ wasi.RightFdRead

// newOutput makes a descriptor of Config.Stdout or Stderr, whichever is named.
func (g *Guest) newOutput(name string, w io.Writer) (*descriptor, error) {
	switch w := w.(type) {
	case nil:
		return newDescriptor(discard{}, outputRights, 0), nil
	case *os.File:
		return newStdio(w, outputRights)
	}
	s := newSink(name, w, g.KillForPanic)
	g.sinks = append(g.sinks, s)
	return newDescriptor(s, outputRights, 0), nil
}

// newStderr is newOutput, but for a writer that is stdout's as well: then it is the same sink, so
// that threads take turns.
func (g *Guest) newStderr(w io.Writer, stdout *descriptor) (*descriptor, error) {
	if stdout != nil && w != nil && reflect.ValueOf(w).Comparable() {
		if s, ok := stdout.object.(*sink); ok && s.w == w {
			return newDescriptor(s, outputRights, 0), nil
		}
	}
	return g.newOutput("Config.Stderr", w)
}
