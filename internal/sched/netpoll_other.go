//go:build !unix

package sched

// netpollKicker does nothing where the network is not waited for by Go's poller.
type netpollKicker struct{}

func (*netpollKicker) kick()  {}
func (*netpollKicker) close() {}
