package abi_test

import "github.com/wasport/wasport/internal/wasi"

// unixSockets is the result of good calls for Unix-domain sockets.
const unixSockets = wasi.Success
