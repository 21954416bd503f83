package system

import (
	"bytes"
	"io"
	"os"

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

func newStdout(w io.Writer) (*descriptor, error) {
	rights := wasi.RightsStream &^ wasi.RightFdRead
	switch w := w.(type) {
	case nil:
		return newDescriptor(newSink(io.Discard), rights, 0), nil
	case *os.File:
		return newStdio(w, rights)
	}
	return newDescriptor(newSink(w), rights, 0), nil
}
