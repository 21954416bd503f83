package guard

import "github.com/wasport/wasport/network"

// Option reads an option. An interface that the guest may not know reads as the host's choice.
func (s *socket) Option(o network.Option) (int64, error) {
	switch {
	case o == network.MulticastInterface4, o == network.MulticastInterface6:
		v, err := s.Socket.Option(o)
		if err == nil && s.mayChoose(o, v) != nil {
			v = 0
		}
		return v, err
	case s.keepsReuse(o):
		v, err := s.Socket.Option(o)
		if s.reuses() {
			v = 1
		}
		return v, err
	}
	return s.Socket.Option(o)
}

// SetOption sets an option. Those of a socket that was handed over are its owner's as well: EACCES,
// unless nothing would change.
func (s *socket) SetOption(o network.Option, v int64) error {
	if o == network.MulticastInterface4 || o == network.MulticastInterface6 {
		if err := s.mayChoose(o, v); err != nil {
			return err
		}
	}
	switch {
	case s.shared:
		if now, err := s.Socket.Option(o); err != nil || now != v {
			return s.keep("setsockopt")
		}
		return nil
	case s.keepsReuse(o):
		return s.setReuse(v)
	case o == network.RecvBuffer, o == network.SendBuffer:
		return s.setBuffer(o, v)
	}
	return s.Socket.SetOption(o, v)
}
