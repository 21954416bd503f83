//go:build !portable

package abi_test

const (
	datagramAllocations     = 0
	datagramPollAllocations = 0
)
