//go:build !unix

package sched

// netpollKicker does nothing: on this system the network is not waited for in Go's poller.
type netpollKicker struct{}

func (*netpollKicker) kick()  {}
func (*netpollKicker) close() {}
