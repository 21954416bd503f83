package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
)

// listenAddr says which sockets the guest gets. network is "tcp", "udp", "unix" or "systemd". host
// is HOST:PORT, the path of a Unix-domain socket, or the name that systemd has for sockets; it is
// empty for all of systemd's.
type listenAddr struct{ network, host string }

func (a listenAddr) String() string {
	switch {
	case a.network == "systemd" && a.host == "":
		return a.network
	case a.network == "systemd", a.network == "unix":
		return a.network + ":" + a.host
	}
	return a.network + "://" + a.host
}

// parseListen parses tcp://HOST:PORT, udp://HOST:PORT, unix:PATH, systemd or systemd:NAME.
func parseListen(s string) (listenAddr, error) {
	if kind, rest, colon := strings.Cut(s, ":"); kind == "unix" && colon {
		return parseUnixPath(rest)
	} else if kind == "systemd" {
		if colon && rest == "" {
			return listenAddr{}, errors.New("write systemd for every socket, or systemd:NAME for " +
				"those of one FileDescriptorName")
		}
		return listenAddr{kind, rest}, nil
	}
	network, host, ok := strings.Cut(s, "://")
	if !ok || network != "tcp" && network != "udp" {
		return listenAddr{}, errors.New("write tcp://ADDRESS:PORT or udp://ADDRESS:PORT, for " +
			"instance tcp://127.0.0.1:8080 or udp://[::1]:53; or unix:PATH, or systemd")
	}
	if err := checkHostPort(host, "tcp://127.0.0.1:8080 or udp://[::1]:53"); err != nil {
		return listenAddr{}, err
	}
	if host[0] == ':' {
		return listenAddr{}, fmt.Errorf("%s is every address of which family? "+
			"Write %s://0.0.0.0%s or %s://[::]%s, or both", s, network, host, network, host)
	}
	return listenAddr{network, host}, nil
}

// maxUnixPath is the length of the longest path of a socket in bytes, without its NUL: that of
// sun_path on the BSDs, which is shorter than on Linux (unix(7), unix(4)).
const maxUnixPath = 103

// parseUnixPath parses the path of a Unix-domain socket. A name that starts with "@" is refused:
// package net takes it as abstract (unix(7)), and no permissions of a file protect such a socket.
func parseUnixPath(path string) (listenAddr, error) {
	after, slashes := strings.CutPrefix(path, "//")
	switch {
	case path == "":
		return listenAddr{}, errors.New("write unix:PATH, for instance unix:/run/app.sock")
	case slashes && !strings.HasPrefix(after, "/"):
		return listenAddr{}, fmt.Errorf("%q can be read in two ways; write unix:/%s or unix:%[2]s",
			"unix:"+path, after)
	case path[0] == '@':
		return listenAddr{}, fmt.Errorf("abstract sockets have no permissions; write unix:./%s "+
			"for a file of that name", path)
	case strings.ContainsRune(path, 0):
		return listenAddr{}, errors.New("the path contains a NUL byte")
	case len(path) > maxUnixPath:
		return listenAddr{}, fmt.Errorf("the path has %d bytes, and a socket's has at most %d; "+
			"write a shorter one, perhaps a relative one", len(path), maxUnixPath)
	}
	if err := checkUnixSockets(); err != nil {
		return listenAddr{}, err
	}
	return listenAddr{"unix", path}, nil
}

// openListeners opens the sockets of --listen. Those of systemd come first, since LISTEN_FDS may
// announce more descriptors than there are, and a later one must not be mistaken for them.
func openListeners(addrs []listenAddr) (sockets []syscall.Conn, err error) {
	passed, err := receiveSockets(addrs)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, name := range passed.closeRest() {
			warnf("--listen leaves out the socket %q, which was passed too", name)
		}
	}()
	for _, a := range addrs {
		if a.network == "systemd" {
			taken, err := passed.take(a.host)
			if err != nil {
				return sockets, fmt.Errorf("--listen %v: %w", a, err)
			}
			sockets = append(sockets, taken...)
			continue
		}
		s, err := a.open()
		if err != nil {
			return sockets, fmt.Errorf("--listen %v: %w", a, listenError(err))
		}
		sockets = append(sockets, s)
	}
	return sockets, nil
}

// open opens a socket of the address's own family. Package net opens 0.0.0.0 as a dual-stack socket
// (net.Listen), which would also listen where no rule for 0.0.0.0 applies. With the family named,
// a socket at :: has IPV6_V6ONLY set (ipv6(7)).
func (a listenAddr) open() (syscall.Conn, error) {
	if a.network == "unix" {
		return a.openUnix()
	}
	addr, err := net.ResolveTCPAddr("tcp", a.host)
	if err != nil {
		return nil, err
	}
	family := "6"
	if addr.IP.To4() != nil {
		family = "4"
	}
	if a.network == "udp" {
		udpAddr := &net.UDPAddr{IP: addr.IP, Port: addr.Port, Zone: addr.Zone}
		return connOrNil(net.ListenUDP("udp"+family, udpAddr))
	}
	return connOrNil(net.ListenTCP("tcp"+family, addr))
}

// openUnix listens at a path. It removes no file that is there: even a socket to which nobody
// listens may be another program's.
func (a listenAddr) openUnix() (syscall.Conn, error) {
	addr := &net.UnixAddr{Name: a.host, Net: "unix"}
	l, err := net.ListenUnix("unix", addr)
	if err == nil {
		l.SetUnlinkOnClose(false)
		file, err := os.Lstat(a.host)
		return connOrNil(&unixListener{l, file}, err)
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return nil, err
	}
	if info, statErr := os.Lstat(a.host); statErr == nil && info.Mode()&os.ModeSocket == 0 {
		return nil, errors.New("a file that is not a socket is there; name another path")
	}
	// A datagram socket tells whether the socket is in use, and its program notices nothing: to
	// connect one to a stream socket is EPROTOTYPE (POSIX, connect).
	c, dialErr := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: a.host, Net: "unixgram"})
	if dialErr == nil {
		c.Close()
	}
	if dialErr == nil || errors.Is(dialErr, syscall.EPROTOTYPE) {
		return nil, errors.New("another program listens there")
	}
	return nil, errors.New("a socket is there, and nobody listens to it; remove it")
}

// unixListener is a listener with a path, and the file that it has made there.
type unixListener struct {
	*net.UnixListener
	file os.FileInfo
}

// removeUnixPaths removes the files of the listeners and closes these. A file that another program
// has put in the place of one stays. It is never taken for the same file, since the system uses the
// inode of a socket for no other file before the socket is closed.
func removeUnixPaths(sockets []syscall.Conn) {
	for _, s := range sockets {
		l, ok := s.(*unixListener)
		if !ok {
			continue
		}
		path := l.Addr().String()
		if now, err := os.Lstat(path); err == nil && os.SameFile(now, l.file) {
			os.Remove(path)
		}
		l.Close()
	}
}

// connOrNil keeps a nil pointer from becoming an interface that is not nil.
func connOrNil[C syscall.Conn](c C, err error) (syscall.Conn, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}
