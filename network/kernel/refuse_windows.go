package kernel

import (
	"golang.org/x/sys/windows"

	"github.com/wasport/wasport/network"
)

// refuseConnections makes a listener that Shutdown has ended refuse connections. Winsock has no
// call for that but closesocket, so the handle gets another socket of the kernel, with the same
// options and the same address. A socket that the program has too goes on listening for it.
func (s *socket) refuseConnections() {
	if s.shared {
		return
	}
	s.connMu.Lock()
	defer s.connMu.Unlock()
	s.replaceUnused(func() {
		local, err := sysGetsockname(s.fd)
		if err != nil {
			return
		}
		next, err := sysSocket(s.family, s.typ)
		if err != nil {
			return
		}
		s.copyOptions(next)
		windows.Closesocket(s.fd)
		s.fd = next
		s.setWaker(nil)
		s.lost.Store(&local)
		s.rebind()
	})
}

// copyOptions gives another socket of the kernel the options that were set.
func (s *socket) copyOptions(next descriptor) {
	to := newSocket(next, s.family, s.typ)
	for o := range network.Options {
		opt := options[o]
		v, err := s.readOption(opt)
		if before, beforeErr := to.readOption(opt); err == nil && beforeErr == nil && v != before {
			to.writeOption(opt, v)
		}
	}
}
