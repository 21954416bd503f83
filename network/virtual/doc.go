// Package virtual is a network in memory: a world of hosts that reach each other, and nothing else.
//
// Each Host is a network.Network for any number of guests, with a loopback interface of its own and
// addresses that the other hosts reach. For Go code it has Dial, Listen and ListenPacket, so an
// http.Client talks to a server in a guest and a guest to an http.Handler, and no port of the
// machine is opened:
//
//	world := virtual.New()
//	web, err := world.Host("web")
//	...
//	mod.Start(ctx, wasport.Config{Network: web, Policy: p})
//	conn, err := client.Dial("tcp", "web:80")
//
// Sockets behave as those of Linux: states, errors, readiness, options and their ranges. A
// program can see these differences:
//
//   - Data has arrived when Send returns. So the bytes of a connection are in one queue for each
//     direction, as long as the smaller of the receive buffer there and the send buffer here.
//   - No datagram is lost unless the queue of its receiver is full. None is fragmented.
//   - A closed connection leaves nothing behind (no TIME_WAIT, RFC 9293, section 3.3.2): its port
//     can be bound at once.
//   - A port that the host chooses belongs to one socket of a type, so a host has at most 28232
//     connections that it chose the port of.
//   - A stream cannot connect to itself (RFC 9293, section 3.5, simultaneous open).
//   - Options of the wire keep their values and have no effect: KeepAlive, NoDelay, TTL, TOS and
//     their kin. MulticastTTL 0 keeps a datagram on the host.
//
// Nothing here starts a goroutine to move bytes: a Send copies them into the queue of the receiver,
// in memory that the size of its receive buffer bounds. Time comes from a Clock. Only a socket that
// reaches another Network through World.Gateway has goroutines, which wait for that Network.
//
// This package holds sockets, hosts, names and the types of package net over them. It knows nothing
// of guests and judges no address: network/guard, the layer above, does that.
//
// Every method may be called from several goroutines at once. Locks, each for its own fields:
//
//	World.mu           hosts, names, ports, memberships, queues of connections, and the addresses
//	                   and states of all sockets; held for reading while a datagram finds its way
//	outside.mu         the goroutines that wait beyond the gateway
//	direction.mu       held during a Read or a Write of a net.Conn
//	watch.mu           the waiting callers of a socket
//
// Lock order: direction.mu, World.mu, one of the others or a lock of internal/ring, and last
// watch.mu. The wake functions of Readiness.Notify are called with World.mu and watch.mu held. No
// lock but direction.mu is held while a call blocks, or while another Network is called.
package virtual
