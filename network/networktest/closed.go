package networktest

import (
	"net/netip"
	"time"

	"github.com/wasport/wasport/network"
)

// closedCalls are all methods of a socket that return an error.
func closedCalls(e env, s network.Socket) map[string]func() error {
	group := netip.MustParseAddr("224.0.0.251")
	return map[string]func() error{
		"close":      s.Close,
		"bind":       func() error { return s.Bind(e.at) },
		"listen":     func() error { return s.Listen(1) },
		"accept":     func() error { _, _, err := s.Accept(); return err },
		"connect":    func() error { return s.Connect(e.at) },
		"finish":     s.FinishConnect,
		"send":       func() error { _, err := s.Send(nil, none); return err },
		"receive":    func() error { _, err := s.Recv(nil, 0); return err },
		"shutdown":   func() error { return s.Shutdown(network.ShutBoth) },
		"local":      func() error { _, err := s.LocalAddr(); return err },
		"remote":     func() error { _, err := s.RemoteAddr(); return err },
		"option":     func() error { _, err := s.Option(network.KeepAlive); return err },
		"set option": func() error { return s.SetOption(network.KeepAlive, 1) },
		"join":       func() error { return s.Join(group, network.Interface{}) },
		"leave":      func() error { return s.Leave(group, network.Interface{}) },
		"wait":       func() error { _, err := s.Wait(0, time.Time{}); return err },
		"poll":       func() error { _, err := s.Poll(network.Readable); return err },
		"available":  func() error { _, err := s.Available(); return err },
	}
}
