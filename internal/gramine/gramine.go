// Package gramine takes the place of Gramine, a library operating system for SGX enclaves, in the
// tests of other packages. It is for tests alone. Answers of Gramine that differ from Linux's
// belong here. How wasport copes with them belongs to the packages under test.
//
// Enter installs a seccomp filter (seccomp(2)) that answers like Gramine: ENOSYS to a system call
// that its table lacks (calls.txt), ENOPROTOOPT to a socket option that it lacks, EAFNOSUPPORT to
// families of sockets. A filter sees numbers alone. Calls that depend on the kind of a descriptor
// or on memory go to a second process (seccomp_unotify(2)): an epoll in an epoll, MSG_PEEK of a
// datagram, and the states of sockets. Out of reach are Gramine's accounting of memory, its
// errno for a send without a peer, and its linger time of 0, which is none at all; unit tests of
// the packages have fakes for these.
//
// Gramine's behaviour is read from libos/src/sys/libos_socket.c and libos/src/net/ip.c of its
// sources, of the same commit as calls.txt or near it.
package gramine

import "os"

// Variable is the environment variable that tells Enter what to stand in for.
const Variable = "WASPORT_STAND_IN"

// The values of Variable. A process and its children find installed once the filter is.
const (
	wanted    = "gramine"
	installs  = "gramine:installs"
	installed = "gramine:installed"
)

// Inside reports whether the process runs under the filter.
func Inside() bool { return os.Getenv(Variable) == installed }
