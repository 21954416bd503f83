package bootstrap

import (
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// socketDir is where containerd expects sockets of shims. Names in it must be short, since the path
// of a socket has at most 107 bytes (unix(7)).
const socketDir = "/run/containerd/s"

// dialTimeout is the longest that a shim may take to accept a connection.
const dialTimeout = 5 * time.Second

// socketPath returns the path of the socket for a group of containers. It differs from that of
// other shims, which serve containers of the same pod.
func socketPath(dir, address, namespace, group string) string {
	if dir == "" {
		dir = socketDir
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s", Name, address, namespace, group))
	return filepath.Join(dir, fmt.Sprintf("%x", sum))
}

// lock takes the lock for the start and the end of the shim at a socket. Shims share a few files
// for it, which are never removed: a lock on a file that is gone excludes nobody.
func lock(socket string) (*os.File, error) {
	dir, name := filepath.Split(socket)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "wasport-"+name[:1]+".lock"),
		os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock: %w", err)
	}
	return f, nil
}

// listen makes the socket. The caller holds its lock and knows that nobody serves it.
func listen(socket string) (*os.File, error) {
	os.Remove(socket)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return nil, err
	}
	defer l.Close()
	l.SetUnlinkOnClose(false)
	if err := os.Chmod(socket, 0o600); err != nil {
		return nil, err
	}
	return l.File()
}
