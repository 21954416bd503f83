//go:build portable

package abi_test

// datagramAllocations are those of golang.org/x/sys: an address and a list of buffers, of the sent
// datagram and of the received one.
const datagramAllocations = 4

// datagramPollAllocations are those of the peek that finds the length of a datagram.
const datagramPollAllocations = 2
