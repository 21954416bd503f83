package main

import (
	"slices"
	"strings"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/policy"
)

// preview1Sockets are the socket functions of WASI preview 1, which Go's runtime imports by itself.
// They work on sockets that are handed over, and open none.
var preview1Sockets = []string{"sock_accept", "sock_recv", "sock_send", "sock_shutdown"}

// opensNoSockets reports whether Go's compiler made a module that has no way to open a socket. Its
// package net then connects to nothing but itself.
func opensNoSockets(mod *wasport.Module) bool {
	return mod.ByGo() && !slices.ContainsFunc(mod.Imports(), func(i wasport.Import) bool {
		return strings.HasPrefix(i.Name, "sock_") && !slices.Contains(preview1Sockets, i.Name)
	})
}

// warnUnreachable says that a network which flags grant does not reach the program: package net
// says "connection refused" in its place. A rule of listen can be for a socket of --listen.
func (f *runFlags) warnUnreachable(file string, mod *wasport.Module) {
	p := &f.permissions
	granted := p.allowNet || p.allowLookup || slices.ContainsFunc(p.rules, func(r policy.Rule) bool {
		return r.Effect() == policy.Allow && (r.Action() != policy.Listen || len(f.listen) == 0)
	})
	if granted && opensNoSockets(mod) {
		warn("%s: this program of Go imports no functions that open sockets, so its package net "+
			"cannot reach the network that is granted; see docs/languages.md#go", file)
	}
}
