// Package errno gives errors of the operating system their POSIX meaning.
//
// On Windows, package syscall gives the POSIX names numbers of its own, and errors of sockets have
// those of Winsock. Which errno a failure is given belongs to the callers. Its functions keep no
// state and may be called from several goroutines.
package errno
