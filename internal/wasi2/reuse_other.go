//go:build !windows

package wasi2

// reuseOnBind tells whether a listener needs SO_REUSEADDR to bind a port with connections of an
// earlier one (ip(7), tcp(7)).
const reuseOnBind = true
