// Package wasi2 implements the interfaces of WASI 0.2 that components import: wasi:io, cli, clocks,
// random, filesystem and sockets.
//
// Each interface is a table of functions; a row has a name, a signature in WIT's spelling and a
// function that decodes the arguments and encodes the result. What the call does is in a method of
// the resource, such as output.write, or of the Guest: another version of WASI can have tables of
// its own and call the same methods. A resource stands on descriptors of the guest's ordinary table
// (internal/system), so limits, closing and the guest's end hold as for a core module.
//
// Rows of the data path have a second, direct form, which reads and writes guest memory itself and
// does not allocate.
//
// Belongs here: the resources of WASI 0.2, their states, and its error codes. Does not belong here:
// the canonical ABI (internal/component/canon), the semantics of descriptors (internal/system), and
// decisions on addresses (network/guard).
//
// Errors. A method returns errClosed or an error of the host, which becomes an error-code or a
// stream-error, or else a *canon.Trap for a trap of the interface. The reason of the
// guest's end wins over both.
//
// Concurrency. A Guest and its resources are used by one goroutine at a time, but for pending,
// which says what its goroutine uses. There are no locks.
package wasi2

import (
	"crypto/sha256"
	"fmt"
	"unicode/utf8"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/system"
)

// Guest is the state of one guest: its resources, over a thread of its system.
type Guest struct {
	*system.Thread

	// Memory, unless nil, bounds the memory of writes that go on by themselves.
	Memory canon.Budget

	// resources is how many resources there are in the slabs.
	resources int

	errors      slab[failure]
	inputs      slab[input]
	outputs     slab[output]
	pollables   slab[pollable]
	descriptors slab[descriptor]
	entries     slab[entries]
	sockets

	// preopens are the descriptions of the preopened directories by descriptor, made when they are
	// first asked for. hashKey is the key of metadata hashes.
	preopens map[int32]*description
	hashKey  [sha256.Size]byte

	// stdio are the standard streams, made when they are first asked for.
	stdio [3]*description

	// written is the stream that was written to last, for Answerable.
	written *output

	polled polled
	spare  []*pollable

	// buf, small and large serve the transfers of one call. small and large are made at their first
	// use.
	buf          [1][]byte
	small, large []byte
}

// smallRead is the size of Guest.small.
const smallRead = 4096

// NewGuest makes the state of a guest that runs on a thread. The thread's end releases all. It
// fails if an argument, a variable of the environment or the name of a directory is not UTF-8, as
// strings of components must be.
func NewGuest(t *system.Thread) (*Guest, error) {
	g := &Guest{Thread: t, preopens: make(map[int32]*description)}
	for i, arg := range t.Args() {
		if err := checkText(fmt.Sprintf("argument %d", i), arg); err != nil {
			return nil, err
		}
	}
	for i, entry := range t.Env() {
		if err := checkText(fmt.Sprintf("environment entry %d", i+1), entry); err != nil {
			return nil, err
		}
	}
	for _, p := range t.Preopens() {
		if err := checkText("the name of a directory", p.Name); err != nil {
			return nil, err
		}
	}
	if err := g.Random(g.hashKey[:]); err != nil {
		return nil, fmt.Errorf("the source of random bytes failed: %w", err)
	}
	return g, nil
}

func checkText(what, s string) error {
	if utf8.ValidString(s) {
		return nil
	}
	return &system.MisfitError{
		Err: fmt.Errorf("%s is not UTF-8, which a component needs: %q", what, s)}
}

// Finish waits until everything that was written to streams is sent, as if the guest dropped them.
// It returns early if the guest is ended.
func (g *Guest) Finish() {
	for _, s := range g.outputs.items {
		if s != nil && s.pending.await(g) != nil {
			return
		}
	}
}

// room returns a buffer of n bytes, at most maxRead, for the transfers of one call.
func (g *Guest) room(n uint64) []byte {
	if n <= smallRead {
		if g.small == nil {
			g.small = make([]byte, smallRead)
		}
		return g.small[:n]
	}
	if g.large == nil {
		g.large = make([]byte, maxRead)
	}
	return g.large[:min(n, maxRead)]
}

// failure is an error resource: the reason why an operation of a stream failed.
type failure struct {
	err error

	// of tells which interface has a code for the error.
	of source
}

type source uint8

const (
	ofStream source = iota // a standard stream
	ofFile
	ofSocket
)

func trapf(format string, args ...any) error { return canon.Trapf(format, args...) }
