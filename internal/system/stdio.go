package system

import (
	"bytes"
	"io"
	"os"
	"reflect"

	"github.com/wasport/wasport/internal/wasi"
)

func newStdin(r io.Reader) (*descriptor, error) {
	rights := wasi.RightsStream &^ wasi.RightFdWrite
	switch r := r.(type) {
	case nil:
		return newDescriptor(newSource(bytes.NewReader(nil)), rights, 0), nil
	case *os.File:
		return newStdio(r, rights)
	}
	return newDescriptor(newSource(r), rights, 0), nil
}

const outputRights = wasi.RightsStream &^ wasi.RightFdRead

func newStdout(w io.Writer) (*descriptor, error) {
	switch w := w.(type) {
	case nil:
		return newDescriptor(newSink(io.Discard), outputRights, 0), nil
	case *os.File:
		return newStdio(w, outputRights)
	}
	return newDescriptor(newSink(w), outputRights, 0), nil
}

// newStderr is newStdout, but for a writer that is stdout's as well: then it is the same sink, so that threads take turns.
func newStderr(w io.Writer, stdout *descriptor) (*descriptor, error) {
	if stdout != nil && w != nil && reflect.ValueOf(w).Comparable() {
		if s, ok := stdout.object.(*sink); ok && s.w == w {
			return newDescriptor(s, outputRights, 0), nil
		}
	}
	return newStdout(w)
}
