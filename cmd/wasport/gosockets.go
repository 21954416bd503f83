package main

import (
	"slices"
	"strings"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/policy"
)

// preview1Sockets are the socket functions of WASI preview 1, which every Go program imports. They
// work on sockets that the host opened (WASI preview 1, sock_accept) and open none.
var preview1Sockets = []string{"sock_accept", "sock_recv", "sock_send", "sock_shutdown"}

// lacksSocketImports reports whether Go's compiler made a module that has no import to open a
// socket with. Package net of such a module connects only to its own listeners (net_fake.go of Go).
func lacksSocketImports(mod *wasport.Module) bool {
	return mod.ByGo() && !slices.ContainsFunc(mod.Imports(), func(i wasport.Import) bool {
		return strings.HasPrefix(i.Name, "sock_") && !slices.Contains(preview1Sockets, i.Name)
	})
}

// warnGoWithoutSockets warns about a Go program that cannot reach the network which flags or the
// policy file grant: it reports "connection refused", which says nothing about the reason. A listen
// rule does not count beside --listen, since it can be about that socket.
func (f *runFlags) warnGoWithoutSockets(file string, mod *wasport.Module) {
	aboutSockets := func(r policy.Rule) bool {
		return r.Effect() == policy.Allow &&
			(r.Action() != policy.ActionListen || len(f.listen) == 0)
	}
	if slices.ContainsFunc(f.config.Policy.Rules(), aboutSockets) && lacksSocketImports(mod) {
		warnf("%s: this program of Go imports no functions that open sockets, so its package net "+
			"cannot reach the network that is granted; see docs/languages.md#go", file)
	}
}
