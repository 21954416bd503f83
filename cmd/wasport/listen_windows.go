package main

import "errors"

// checkUnixSockets returns an error, since wasport does not open Unix-domain sockets on Windows.
func checkUnixSockets() error {
	return errors.New("unix:PATH works on Unix alone; write tcp://ADDRESS:PORT, for instance " +
		"tcp://127.0.0.1:8080")
}
