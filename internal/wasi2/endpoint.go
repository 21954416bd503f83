package wasi2

import (
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// sockets are the resources of wasi:sockets. All handles of a network are alike and have none.
type sockets struct {
	tcp      slab[tcpSocket]
	udp      slab[udpSocket]
	incoming slab[incoming]
	outgoing slab[outgoing]
	lookups  slab[lookup]

	// received are the datagrams of one receive.
	received []datagram
}

// endpoint is the common part of TCP and UDP sockets.
type endpoint struct {
	*description
	family network.Family

	// failed is true in the state closed: the socket is of no more use.
	failed bool

	options options
}

// open makes a socket, in non-blocking mode and of one family. The policy refuses a socket at once
// with which the guest could do nothing.
func (g *Guest) open(family network.Family, typ network.Type) (endpoint, error) {
	if err := g.CheckOpen(typ); err != nil {
		return endpoint{}, err
	}
	fd, err := g.Open(family, typ)
	if err != nil {
		return endpoint{}, err
	}
	e := endpoint{family: family, description: &description{fd: fd, of: ofSocket}}
	err = g.SetFlags(fd, wasi.FdflagNonblock)
	if err == nil && family == network.IPv6 {
		err = g.SetOption(fd, network.V6Only, 1)
	}
	if err != nil {
		g.CloseFD(fd)
	}
	return e, err
}
