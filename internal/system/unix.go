package system

import (
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// maxUnixPath is the length of the path of a socket, at most, in bytes: sun_path without the NUL
// (unix(7)).
const maxUnixPath = 107

// unixPath returns an absolute path of the guest in the one spelling that is judged and used. A
// relative path starts at "/", and ".." is resolved by the text, since no symbolic link is
// followed. A path with a slash at its end is that of a directory: ENOTDIR.
func unixPath(p string) (string, error) {
	switch {
	case p == "":
		return "", syscall.ENOENT
	case strings.IndexByte(p, 0) >= 0:
		return "", syscall.EINVAL
	case strings.HasSuffix(p, "/"):
		return "", syscall.ENOTDIR
	}
	if p = path.Clean("/" + p); len(p) > maxUnixPath {
		return "", syscall.ENAMETOOLONG
	}
	return p, nil
}

// unixAddr returns the address of a path that unixPath has returned. Its file is made if create is
// true.
func (g *Guest) unixAddr(p string, create bool) network.UnixAddr {
	want := wasi.RightPathOpen
	if create {
		want = wasi.RightPathCreateFile
	}
	open := func(use func(dir uintptr, name string) error) error {
		d, rest := g.preopenOf(p)
		if d == nil || d.closed.Load() {
			return wasi.ENOTCAPABLE
		}
		if err := d.require(want); err != nil {
			return err
		}
		dir := d.object.(directory)
		do := func() error { return hostfs.WithParent(dir.Dir, rest, create, use) }
		if create {
			return dir.quota.addName(do)
		}
		return do()
	}
	return network.UnixAddr{Path: p, Open: open}
}

// preopenOf returns the preopened directory with the longest name that contains an absolute path,
// and the path beneath it, or nil. Of "/" and ".", which are equally long, an absolute path means
// the first. preopenOf looks at those that the guest was given, also at closed ones: a guest that
// closes one would otherwise reach what it hides, and one that gives its number to another
// directory meanwhile would reach that, by a path whose rule is about neither.
func (g *Guest) preopenOf(p string) (d *descriptor, rest string) {
	best := 0
	for _, o := range g.preopens {
		name := strings.TrimSuffix(path.Clean("/"+*o.preopen), "/") + "/"
		rank := 2 * len(name)
		if path.IsAbs(*o.preopen) {
			rank++
		}
		if in, ok := strings.CutPrefix(p, name); ok && rank >= best {
			d, rest, best = o, in, rank
		}
	}
	return d, rest
}

// unixSocketAt returns the socket fd if it is a Unix-domain socket that can have a path. It is
// EAFNOSUPPORT otherwise.
func (g *Guest) unixSocketAt(fd int32) (*descriptor, *socket, network.UnixSocket, error) {
	d, s, err := g.socketAt(fd)
	if err != nil {
		return nil, nil, nil, err
	}
	u, ok := s.Socket.(network.UnixSocket)
	if !ok || s.Family() != network.Unix {
		return nil, nil, nil, syscall.EAFNOSUPPORT
	}
	return d, s, u, nil
}

// BindUnix makes the file of a Unix-domain socket, as bind(2) does.
func (t *Thread) BindUnix(fd int32, p string) error {
	_, s, u, err := t.unixSocketAt(fd)
	if err != nil {
		return err
	}
	if p, err = unixPath(p); err != nil {
		return err
	}
	if err := u.BindUnix(t.unixAddr(p, true)); err != nil {
		return err
	}
	s.localPath.Store(&p)
	return nil
}

// backlogPoll bounds the time between two attempts of ConnectUnix to connect.
const backlogPoll = 64 * time.Millisecond

// ConnectUnix connects a Unix-domain socket, as connect(2) does. In blocking mode it waits for room
// in the backlog, and returns EAGAIN once the send time-out has passed.
func (t *Thread) ConnectUnix(fd int32, p string) error {
	d, s, u, err := t.unixSocketAt(fd)
	if err != nil {
		return err
	}
	if p, err = unixPath(p); err != nil {
		return err
	}
	a, end := t.unixAddr(p, false), deadlineAfter(s.sendTimeout.Load())
	err = u.ConnectUnix(a)
	pause := time.Millisecond
	for err == network.ErrBacklogFull {
		if d.nonblock.Load() || end.passed() {
			return err
		}
		if err := t.Sleep(nil, pause); err != syscall.ETIMEDOUT {
			return err
		}
		pause = min(2*pause, backlogPoll)
		err = u.ConnectUnix(a)
	}
	if err != nil {
		return err
	}
	s.remotePath.Store(&p)
	return nil
}

// UnixPath returns the path that a Unix-domain socket is bound to or, if peer is true, that it
// connected to. It is "" if there is none, or if the host has given it.
func (t *Thread) UnixPath(fd int32, peer bool) (string, error) {
	_, s, err := t.socketAt(fd)
	if err != nil {
		return "", err
	}
	if s.Family() != network.Unix {
		return "", syscall.EAFNOSUPPORT
	}
	known := &s.localPath
	if peer {
		known = &s.remotePath
		if _, err := s.RemoteAddr(); err != nil {
			return "", err
		}
	}
	if p := known.Load(); p != nil {
		return *p, nil
	}
	return "", nil
}
