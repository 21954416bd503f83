package guard

import "github.com/wasport/wasport/network"

// Option reads an option. An interface that the guest may not know reads as 0, the host's choice
// (ip(7), IP_MULTICAST_IF).
func (s *socket) Option(o network.Option) (int64, error) {
	switch {
	case o == network.MulticastInterface4, o == network.MulticastInterface6:
		v, err := s.Socket.Option(o)
		if err == nil && s.checkMulticastInterface(o, v) != nil {
			v = 0
		}
		return v, err
	case s.emulatesReuse(o):
		v, err := s.Socket.Option(o)
		if s.reuseRequested() {
			v = 1
		}
		return v, err
	}
	return s.Socket.Option(o)
}

// SetOption sets an option. An adopted socket shares its options with its owner, so it returns
// EACCES for a new value.
func (s *socket) SetOption(o network.Option, v int64) error {
	if o == network.MulticastInterface4 || o == network.MulticastInterface6 {
		if err := s.checkMulticastInterface(o, v); err != nil {
			return err
		}
	}
	switch {
	case s.sharedWithOwner:
		if current, err := s.Socket.Option(o); err != nil || current != v {
			return s.refuseAlter("setsockopt")
		}
		return nil
	case s.emulatesReuse(o):
		return s.requestReuse(v)
	case o == network.RecvBuffer, o == network.SendBuffer:
		return s.setBuffer(o, v)
	}
	return s.Socket.SetOption(o, v)
}
