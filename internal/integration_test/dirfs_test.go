package integration_test

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/wasport/wasport"
)

// openFunc is an fs.FS that consists of its method Open.
type openFunc func(name string) (fs.File, error)

func (f openFunc) Open(name string) (fs.File, error) { return f(name) }

// TestFSThatBlocksAtStart ends the context of a guest while its fs.FS is opened.
func TestFSThatBlocksAtStart(t *testing.T) {
	m := compileTestdata(t, "nothing")
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	unblock := make(chan struct{})
	defer close(unblock)
	blocking := openFunc(func(name string) (fs.File, error) {
		cancel(cause)
		<-unblock
		return fstest.MapFS{}.Open(name)
	})
	_, err := m.Run(ctx, wasport.Config{Dirs: []wasport.Dir{{Guest: "/x", FS: blocking}}})
	if err != cause {
		t.Errorf("got %v, want %v", err, cause)
	}
}

// TestFSThatEndsItsGoroutineAtStart has an fs.FS call runtime.Goexit, which must not end the
// goroutine that called Run.
func TestFSThatEndsItsGoroutineAtStart(t *testing.T) {
	m := compileTestdata(t, "nothing")
	exiting := openFunc(func(string) (fs.File, error) {
		runtime.Goexit()
		return nil, nil
	})
	_, err := m.Run(context.Background(),
		wasport.Config{Dirs: []wasport.Dir{{Guest: "/x", FS: exiting}}})
	if p := (*wasport.HostPanic)(nil); !errors.As(err, &p) {
		t.Errorf("got %v, want a HostPanic", err)
	}
}
