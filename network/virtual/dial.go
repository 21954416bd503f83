package virtual

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/wasport/wasport/network"
)

// Dial connects from the host, as net.Dial does: network is tcp, udp or one of them with 4 or 6,
// address is "HOST:PORT".
func (h *Host) Dial(network, address string) (net.Conn, error) {
	return h.DialContext(context.Background(), network, address)
}

// DialContext is Dial that ends with a context. It fits http.Transport.DialContext.
func (h *Host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := h.dial(ctx, network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: plainAddr{network, address},
			Err: err}
	}
	return c, nil
}

// plainAddr is an address of which no more is known than its text.
type plainAddr struct{ network, text string }

func (a plainAddr) Network() string { return a.network }
func (a plainAddr) String() string  { return a.text }

func (h *Host) dial(ctx context.Context, name, address string) (net.Conn, error) {
	typ, family, err := parseNetwork(name)
	if err != nil {
		return nil, err
	}
	addrs, err := h.resolve(ctx, typ, family, address)
	if err != nil {
		return nil, err
	}
	var first error
	for _, a := range addrs {
		c, err := h.dialAddr(ctx, typ, a)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// parseNetwork returns the type and the family that a name of package net stands for.
func parseNetwork(name string) (network.Type, network.Family, error) {
	families := map[string]network.Family{"": network.AnyFamily, "4": network.IPv4,
		"6": network.IPv6}
	for prefix, typ := range map[string]network.Type{"tcp": network.Stream,
		"udp": network.Datagram} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			if family, ok := families[rest]; ok {
				return typ, family, nil
			}
		}
	}
	return 0, 0, net.UnknownNetworkError(name)
}

// resolve returns the addresses that "HOST:PORT" stands for. The empty host is the host itself.
func (h *Host) resolve(ctx context.Context, typ network.Type, family network.Family,
	address string) ([]netip.AddrPort, error) {
	name, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(service, 10, 16)
	p := uint16(n)
	if errors.Is(err, strconv.ErrRange) {
		return nil, &net.AddrError{Err: "invalid port", Addr: service}
	} else if err != nil {
		if p, err = h.LookupPort(ctx, typ, service); err != nil {
			return nil, err
		}
	}
	var addrs []netip.Addr
	if a, err := netip.ParseAddr(name); err == nil {
		addrs = []netip.Addr{a.Unmap()}
	} else if name == "" {
		addrs = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	} else if addrs, err = h.LookupAddrs(ctx, family, name); err != nil {
		return nil, err
	}
	var list []netip.AddrPort
	for _, a := range addrs {
		if family == network.AnyFamily || a.Is4() == (family == network.IPv4) {
			list = append(list, netip.AddrPortFrom(a, p))
		}
	}
	if len(list) == 0 {
		return nil, &net.AddrError{Err: "no address of the family", Addr: address}
	}
	return list, nil
}

func familyOf(a netip.Addr) network.Family {
	if a.Is4() {
		return network.IPv4
	}
	return network.IPv6
}

func (h *Host) dialAddr(ctx context.Context, typ network.Type, to netip.AddrPort) (net.Conn,
	error) {
	s, err := h.Open(familyOf(to.Addr()), typ)
	if err != nil {
		return nil, err
	}
	if err := finishConnect(ctx, s, s.Connect(to)); err != nil {
		s.Close()
		return nil, err
	}
	return newConn(s.(endpoint)), nil
}

// finishConnect waits for the result of a connection that is under way. The end of the context
// closes the socket.
func finishConnect(ctx context.Context, s network.Socket, err error) error {
	if err != syscall.EINPROGRESS {
		return err
	}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	for {
		switch err = s.FinishConnect(); err {
		case nil:
			if !stop() {
				return context.Cause(ctx)
			}
			return nil
		case syscall.EALREADY:
			_, err = s.Wait(network.Writable, time.Time{})
		}
		if err != nil {
			if errors.Is(err, net.ErrClosed) && ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return err
		}
	}
}

// listenBacklog is the number of connections that wait for the Go code. It bounds the bytes that
// guests may send before a connection is accepted.
const listenBacklog = 128

// Listen listens on the host, as net.Listen does: network is tcp, tcp4 or tcp6. An empty host is
// every address of the host, and port 0 one of the host's choice.
func (h *Host) Listen(name, address string) (net.Listener, error) {
	s, err := h.open(name, address, network.Stream)
	if err == nil {
		if err = s.Listen(listenBacklog); err != nil {
			s.Close()
		}
	}
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: name, Addr: plainAddr{name, address}, Err: err}
	}
	return &listener{newConn(s)}, nil
}

// ListenPacket opens a datagram socket on the host, as net.ListenPacket does: network is udp, udp4
// or udp6.
func (h *Host) ListenPacket(name, address string) (net.PacketConn, error) {
	s, err := h.open(name, address, network.Datagram)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: name, Addr: plainAddr{name, address}, Err: err}
	}
	return newConn(s), nil
}

// open makes a socket that is bound. As in package net, an address without a host is of both
// families unless the network says one.
func (h *Host) open(name, address string, want network.Type) (endpoint, error) {
	typ, family, err := parseNetwork(name)
	if err != nil || typ != want {
		return nil, net.UnknownNetworkError(name)
	}
	list, err := h.resolve(context.Background(), typ, family, address)
	if err != nil {
		return nil, err
	}
	at := list[0]
	if at.Addr().IsUnspecified() && family == network.AnyFamily {
		at = netip.AddrPortFrom(netip.IPv6Unspecified(), at.Port())
	}
	opened, err := h.Open(familyOf(at.Addr()), typ)
	if err != nil {
		return nil, err
	}
	s := opened.(endpoint)
	if family == network.IPv6 || at.Addr().Is6() && !at.Addr().IsUnspecified() {
		err = s.SetOption(network.V6Only, 1)
	}
	if err == nil && typ == network.Stream {
		err = s.SetOption(network.ReuseAddr, 1)
	}
	if err == nil {
		err = s.Bind(at)
	}
	if err != nil {
		s.Close()
		return nil, os.NewSyscallError("bind", err)
	}
	return s, nil
}

// WaitListener returns once a socket listens at a TCP port of the host, such as that of a guest
// that was just started, or with the cause of the end of ctx.
func (h *Host) WaitListener(ctx context.Context, port uint16) error {
	for {
		listened := h.nextListen(port)
		if listened == nil {
			return nil
		}
		select {
		case <-listened:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// nextListen returns a channel that the next Listen closes, or nil if a socket listens already.
func (h *Host) nextListen(port uint16) <-chan struct{} {
	h.world.mu.Lock()
	defer h.world.mu.Unlock()
	if p := h.tcp[port]; p != nil && len(p.listeners) > 0 {
		return nil
	}
	if h.listened == nil {
		h.listened = make(chan struct{})
	}
	return h.listened
}
