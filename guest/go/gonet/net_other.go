//go:build !wasip1

package gonet

import (
	"context"
	"net"
)

// The types of package net.
type (
	Dialer       = net.Dialer
	ListenConfig = net.ListenConfig
	Resolver     = net.Resolver
	TCPConn      = net.TCPConn
	TCPListener  = net.TCPListener
	UDPConn      = net.UDPConn
)

// DefaultResolver is net.DefaultResolver.
var DefaultResolver = net.DefaultResolver

// Dial is net.Dial.
func Dial(network, address string) (net.Conn, error) { return net.Dial(network, address) }

// DialContext is the method of a net.Dialer.
func DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

// Listen is net.Listen.
func Listen(network, address string) (net.Listener, error) { return net.Listen(network, address) }

// ListenPacket is net.ListenPacket.
func ListenPacket(network, address string) (net.PacketConn, error) {
	return net.ListenPacket(network, address)
}

// ListenMulticastUDP is net.ListenMulticastUDP.
func ListenMulticastUDP(network string, ifi *net.Interface, group *net.UDPAddr) (*UDPConn, error) {
	return net.ListenMulticastUDP(network, ifi, group)
}
