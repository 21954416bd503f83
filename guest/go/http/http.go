// Package http makes net/http reach the network in a guest. It is imported for its side effect:
//
//	import _ "github.com/wasport/wasport/guest/go/http"
//
// http.Get, http.DefaultClient and http.DefaultTransport then connect through package gonet. A
// server needs no more than a listener of that package: http.Serve(listener, handler). Elsewhere
// than on wasip1 the package does nothing.
package http
