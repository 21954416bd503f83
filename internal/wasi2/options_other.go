//go:build !linux

package wasi2

// bufferFactor is how many times the size of a buffer as it was set a system reports.
const bufferFactor = 1
