//go:build !linux

package abi_test

import "github.com/wasport/wasport/internal/wasi"

// unixSockets is the result of all calls for Unix-domain sockets, which other systems lack.
const unixSockets = wasi.EAFNOSUPPORT
