//go:build unix

package main

// checkUnixSockets returns nil: every Unix has Unix-domain sockets.
func checkUnixSockets() error { return nil }
