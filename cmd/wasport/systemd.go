package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// firstPassed is the first descriptor that a service manager passes (sd_listen_fds(3),
// SD_LISTEN_FDS_START).
const firstPassed = 3

// maxPassed is the largest number of sockets that is believed. systemd passes fewer.
const maxPassed = 4096

// passedSockets are the sockets that a service manager opened for this process.
type passedSockets []passedSocket

type passedSocket struct {
	name  string
	file  *os.File
	taken bool
}

// receiveSockets takes over the sockets of the service manager, if an address asks for some
// (sd_listen_fds_with_names(3)). They are closed on exec, and the variables that announce them are
// removed, so that no other process takes its own descriptors for them.
func receiveSockets(addrs []listenAddr) (passedSockets, error) {
	i := slices.IndexFunc(addrs, func(a listenAddr) bool { return a.network == "systemd" })
	if i < 0 {
		return nil, nil
	}
	fail := func(err error) (passedSockets, error) {
		return nil, fmt.Errorf("--listen %v: %w", addrs[i], err)
	}
	names, err := passedNames(os.Getenv, os.Getpid())
	if err != nil {
		return fail(err)
	}
	for _, v := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		os.Unsetenv(v)
	}
	var passed passedSockets
	for i, name := range names {
		fd := firstPassed + i
		if err := keepSocket(fd); err != nil {
			passed.closeRest()
			return fail(fmt.Errorf("descriptor %d (%q) was announced as a socket: %w", fd, name,
				err))
		}
		passed = append(passed, passedSocket{name, os.NewFile(uintptr(fd), name), false})
	}
	return passed, nil
}

// passedNames returns the name of each socket that the environment announces to the process pid.
func passedNames(getenv func(string) string, pid int) ([]string, error) {
	const start = "start wasport as a service with a socket unit (systemd.socket(5))"
	fds, forPID := getenv("LISTEN_FDS"), getenv("LISTEN_PID")
	switch {
	case fds == "" || forPID == "":
		return nil, errors.New("no sockets were passed: LISTEN_FDS or LISTEN_PID is not set; " +
			start)
	case forPID != strconv.Itoa(pid):
		return nil, fmt.Errorf("the sockets were passed to process %q, by LISTEN_PID, and this is "+
			"process %d; let no other program start wasport, or have it use exec", forPID, pid)
	}
	n, err := strconv.ParseUint(fds, 10, 31)
	if err != nil || n == 0 || n > maxPassed {
		return nil, fmt.Errorf("LISTEN_FDS is %q, not a number of sockets from 1 to %d; "+start,
			fds,
			maxPassed)
	}
	if getenv("LISTEN_FDNAMES") == "" {
		return slices.Repeat([]string{"unknown"}, int(n)), nil
	}
	names := strings.Split(getenv("LISTEN_FDNAMES"), ":")
	if len(names) != int(n) {
		return nil, fmt.Errorf("LISTEN_FDNAMES has %d names and LISTEN_FDS is %d; "+start,
			len(names),
			n)
	}
	return names, nil
}

// take returns the sockets with a name, or all of them if name is empty. No socket is taken twice.
func (p passedSockets) take(name string) (sockets []syscall.Conn, err error) {
	var names []string
	for i := range p {
		s := &p[i]
		if names = append(names, strconv.Quote(s.name)); name != "" && s.name != name {
			continue
		}
		if s.taken {
			return nil, fmt.Errorf("the socket %q would be handed over twice; write systemd once, "+
				"or a systemd:NAME for each name", s.name)
		}
		s.taken = true
		sockets = append(sockets, s.file)
	}
	if sockets == nil {
		return nil, fmt.Errorf("no socket has this name; the names are %s",
			strings.Join(slices.Compact(slices.Sorted(slices.Values(names))), ", "))
	}
	return sockets, nil
}

// closeRest closes the sockets that were not taken, and returns their names.
func (p passedSockets) closeRest() (names []string) {
	for _, s := range p {
		if !s.taken {
			s.file.Close()
			names = append(names, s.name)
		}
	}
	return names
}
