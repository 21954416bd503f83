// Package gonet gives Go programs that run as wasport's guests the network, with the functions of
// package net.
//
// Package net of GOOS=wasip1 has no sockets: a Dial in it reaches a network that Go pretends inside
// the program, and ends with "connection refused". A program that calls gonet.Dial instead opens
// sockets of the host, as far as its policy allows. Names are looked up by the host, so that rules
// with names hold. Elsewhere than on wasip1 the functions and types here are those of package net,
// so that the program compiles natively too:
//
//	conn, err := gonet.Dial("tcp", "example.com:80")
//
// Connections are net.Conn, listeners net.Listener and net.PacketConn; addresses are *net.TCPAddr
// and *net.UDPAddr; errors are *net.OpError around a syscall.Errno. To have http.Get and
// http.DefaultTransport use this package, import github.com/wasport/wasport/guest/go/http for its
// side effect.
//
// # Goroutines
//
// A goroutine that waits for a socket does not stop the others: sockets are in non-blocking mode
// and Go's poller waits for all of them with one poll_oneoff. A lookup is different: the host's
// function for it returns when the answer is there, and no goroutine runs meanwhile.
//
// What belongs here is the translation between package net and the functions that the host offers,
// which docs/abi.md describes. Protocols on top of it do not.
package gonet
