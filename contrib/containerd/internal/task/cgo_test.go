//go:build cgo

package task

const withCgo = true
