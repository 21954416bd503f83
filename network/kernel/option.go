package kernel

import "github.com/wasport/wasport/network"

// has says whether sockets of this kind have an option, as Linux sees it. Others answer in other ways, or not at all.
func (s *socket) has(o network.Option) bool {
	switch o {
	case network.NoDelay, network.QuickAck, network.FastOpenConnect, network.KeepIdle, network.KeepInterval, network.KeepCount,
		network.MaxSegment:
		return s.typ == network.Stream
	case network.V6Only, network.HopLimit, network.MulticastHops, network.MulticastLoop6, network.MulticastInterface6,
		network.TrafficClass:
		return s.family == network.IPv6
	}
	return true
}
