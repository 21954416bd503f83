// Package recvwait defines how a socket waits for data within a receive, so that neither a poll nor
// a second receive is needed to find that there is none.
//
// Belongs here: the interface between internal/system, which counts the time that a thread
// computes, network/guard, which counts the bytes, and network/kernel, which waits. Does not belong
// here: any of the three.
package recvwait

import "github.com/wasport/wasport/network"

// Socket is a socket of a network that can wait within a receive.
type Socket interface {
	// RecvWait is Recv without flags that may wait for data, if it expects to find none. If it does
	// not, or cannot wait, it returns EAGAIN as Recv does. Close ends a wait with net.ErrClosed.
	//
	// During the call the socket may be locked for other readers. So the caller is the only one
	// that receives from it, and holds no lock.
	RecvWait(bufs [][]byte, t Thread) (network.Received, error)
}

// Thread is told when the receiving thread begins and ends to wait.
type Thread interface {
	Pause()
	Resume()
}
