//go:build !cgo

package task

const withCgo = false
