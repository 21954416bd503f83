package system

import (
	"io"
	"sync"
	"syscall"

	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// stream has the methods that source, sink, empty and discard share. They are the standard streams
// that are not files of the host, or that the host cannot read or write without blocking.
type stream struct {
	// from is the file of the host; nil for a Go reader or writer, which has no type.
	from *hostfs.Stream
}

func (stream) flags() wasi.Fdflags          { return 0 }
func (stream) setFlags(wasi.Fdflags) error  { return nil }
func (stream) read([][]byte) (int, error)   { return 0, syscall.EBADF }
func (stream) write([][]byte) (int, error)  { return 0, syscall.EBADF }
func (stream) Readiness() network.Readiness { return network.Readiness{} }
func (stream) Available() (int, error)      { return 0, nil }
func (stream) close() error                 { return nil }
func (stream) Poll(want network.Events) (network.Events, error) {
	return want, nil
}

func (s stream) filetype() wasi.Filetype {
	if s.from == nil {
		return wasi.FiletypeUnknown
	}
	return wasi.Filetype(s.from.Stat().Type)
}

func (s stream) stat() (wasi.Filestat, error) {
	if s.from == nil {
		return wasi.Filestat{}, nil
	}
	return filestat(s.from.Stat()), nil
}

// Terminal reports whether the stream is a terminal of the host.
func (s stream) Terminal() bool { return s.from != nil && s.from.Terminal() }

// empty is the object of an input that has ended.
type empty struct{ stream }

func (empty) read([][]byte) (int, error) { return 0, nil }
func (empty) Poll(want network.Events) (network.Events, error) {
	return want & network.Readable, nil
}

// source is an input that comes from a Go reader, which may block for ever. So a goroutine reads
// one buffer ahead, from the guest's first read or poll on. After the guest's end the goroutine
// exits with the reader's next return.
//
// mu protects the fields below it. wakers are called with mu held.
type source struct {
	stream
	r       io.Reader
	onPanic func(*outside.Panic)

	mu sync.Mutex

	// buf holds the bytes that were read and not yet taken.
	buf []byte

	// err is the reader's error; the guest gets it once buf is empty.
	err     error
	reading bool
	wakers  map[*func()]struct{}
}

const (
	sourceBuffer = 16 << 10
)

func newSource(r io.Reader, onPanic func(*outside.Panic)) *source {
	return &source{r: r, onPanic: onPanic}
}

func (s *source) read(bufs [][]byte) (int, error) {
	if len(bufs) == 0 {
		return 0, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.buf) == 0 {
		switch s.err {
		case nil:
			s.startRead()
			return 0, syscall.EAGAIN
		case io.EOF:
			return 0, nil
		}
		return 0, s.err
	}
	total := 0
	for _, b := range bufs {
		n := copy(b, s.buf)
		s.buf = s.buf[n:]
		total += n
	}
	return total, nil
}

// startRead starts the read of the next buffer, unless one is under way.
func (s *source) startRead() {
	if s.reading {
		return
	}
	s.reading = true
	go func() {
		buf := make([]byte, sourceBuffer)
		n, err := 0, io.ErrNoProgress // if the reader panics or ends the goroutine
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.buf, s.err, s.reading = buf[:n], err, false
			for wake := range s.wakers {
				(*wake)()
			}
		}()
		outside.Protect("Config.Stdin", func() { n, err = outside.Read(s.r, buf) }, s.onPanic)
	}()
}

func (s *source) Poll(want network.Events) (network.Events, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.buf) == 0 && s.err == nil {
		s.startRead()
		return 0, nil
	}
	return want & network.Readable, nil
}

func (s *source) Readiness() network.Readiness {
	return network.Readiness{Notify: func(_ network.Events, wake func()) (stop func()) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.wakers == nil {
			s.wakers = make(map[*func()]struct{})
		}
		s.wakers[&wake] = struct{}{}
		if len(s.buf) > 0 || s.err != nil {
			wake()
		} else {
			s.startRead()
		}
		return func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.wakers, &wake)
		}
	}}
}

func (s *source) Available() (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.buf), nil
}
