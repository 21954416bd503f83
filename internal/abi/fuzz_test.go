package abi_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/abi"
	"github.com/wasport/wasport/internal/sched"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/wasi"
)

// FuzzImports makes arbitrary calls of all dialects, in a guest that has a file, a directory and
// sockets of every kind. Each call must return or end the guest, soon after the guest is killed at
// the latest, and must not change memory outside of the guest's.
func FuzzImports(f *testing.F) {
	imports, number := numberedImports()
	if len(imports) > 256 {
		f.Fatal("more imports than a byte can tell apart")
	}
	for _, call := range goodCalls {
		c := newNetCaller(f)
		c.openFixtures()
		input := []byte{number[call.name]}
		for i, a := range call.args(c) {
			if slices.Contains(call.fds, i) {
				a = c.fixtureFD(a, call.name)
			}
			if imports[number[call.name]].Params[i] == 'I' {
				input = binary.LittleEndian.AppendUint64(input, a)
			} else {
				input = binary.LittleEndian.AppendUint32(input, uint32(a))
			}
		}
		f.Add(input, bytes.Clone(c.memory()[at:data+dataLen]))
	}
	mod := newNetCaller(f).mod // for the size of its memory
	f.Fuzz(func(t *testing.T, calls, memory []byte) {
		arena := bytes.Repeat([]byte{canary}, 3*memorySize)
		guest := arena[memorySize : 2*memorySize]
		clear(guest)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		world, err := system.New(ctx, netConfig(t))
		if err != nil {
			t.Fatal(err)
		}
		defer world.Close()
		defer context.AfterFunc(ctx, func() { world.Kill(ctx.Err()) })()
		th := new(abi.Caller)
		th.Init(world.NewThread(sched.New()), nil)
		defer th.Close()
		th.Shared = guest

		done := make(chan struct{})
		go func() {
			defer close(done)
			openFixtures(func(name string, args ...uint64) wasi.Errno {
				e, _ := try(imports[number[name]], th, mod, args)
				return e
			}, guest)
			copy(guest[at:], memory)
			callAll(t, imports, calls, th, mod, world)
		}()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			// A panic prints the stack of the blocked call.
			panic("a call goes on although the guest has ended")
		}
		for _, b := range [...][]byte{arena[:memorySize], arena[2*memorySize:]} {
			if slices.ContainsFunc(b, func(b byte) bool { return b != canary }) {
				t.Error("got bytes outside of the guest's memory changed, want none")
			}
		}
	})
}

const canary = 0xa5

// numberedImports lists the imports of all modules, and maps their names to their positions.
func numberedImports() (imports []*abi.Function, number map[string]byte) {
	number = make(map[string]byte)
	for _, module := range abi.Modules() {
		if module == "wasi_unstable" { // it has the functions of wasi_snapshot_preview1
			continue
		}
		for _, fn := range abi.Functions()[module] {
			number[exportName(module, fn)] = byte(len(imports))
			imports = append(imports, fn)
		}
	}
	return imports, number
}

// callAll makes the encoded calls, at most 16, until one of them ends the guest.
func callAll(t *testing.T, imports []*abi.Function, calls []byte, caller *abi.Caller,
	mod api.Module, guest *system.Guest) {
	for range 16 {
		fn, args, rest := nextCall(imports, calls)
		if fn == nil {
			return
		}
		if fn.Name == "fd_allocate" { // keeps the host's disk from filling up
			args[1], args[2] = args[1]%memorySize, args[2]%memorySize
		}
		if _, ended := try(fn, caller, mod, args); ended != nil {
			if !errors.Is(ended, guest.Err()) {
				t.Errorf("%s%v: got panic %v, want %v", fn.Name, args, ended, guest.Err())
			}
			return
		}
		calls = rest
	}
}

// nextCall decodes a call: the number of the function and its arguments. Missing bytes are 0.
func nextCall(imports []*abi.Function, b []byte) (fn *abi.Function, args []uint64, rest []byte) {
	if len(b) == 0 {
		return nil, nil, nil
	}
	fn, b = imports[int(b[0])%len(imports)], b[1:]
	args = make([]uint64, len(fn.Params))
	for i, letter := range fn.Params {
		var a [8]byte
		size := 4
		if letter == 'I' {
			size = 8
		}
		b = b[copy(a[:size], b):]
		args[i] = binary.LittleEndian.Uint64(a[:])
	}
	return fn, args, b
}

// try calls a function as the engine does, and returns the error that ended the guest.
func try(fn *abi.Function, th *abi.Caller, mod api.Module, args []uint64) (e wasi.Errno,
	ended error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case error:
			ended = r
		default:
			panic(r)
		}
	}()
	stack := make([]uint64, max(len(args), 1))
	copy(stack, args)
	fn.Call(&abi.Context{Context: context.Background(), Caller: th}, mod, stack)
	return wasi.Errno(stack[0]), nil
}

func (c *caller) openFixtures() { openFixtures(c.call, c.memory()) }

// fixtureFD returns the descriptor from openFixtures of the kind of fd.
func (c *caller) fixtureFD(fd uint64, call string) uint64 {
	switch kind := c.fdstat(fd).Type; {
	case strings.HasPrefix(call, "epoll_") && kind == wasi.FiletypeUnknown:
		return fixtureEpoll
	case strings.HasPrefix(call, "sock_unix_"):
		return fixtureUnix
	case kind == wasi.FiletypeRegularFile:
		return fixtureFile
	case strings.HasPrefix(call, "sock_accept"):
		return fixtureListener
	case kind == wasi.FiletypeSocketStream:
		return fixtureStream
	case kind == wasi.FiletypeSocketDgram:
		return fixtureDatagram
	}
	return fd
}

const (
	fixtureFile = dir + 1 + iota
	fixtureListener
	fixtureStream
	_ // the server's end
	fixtureDatagram
	_ // another one
	fixturePipe
	_ // the end to write
	fixturePair
	_ // the other end
	fixtureCounter
	fixtureEpoll
	fixtureUnix
)

// openFixtures opens a file, a listener, both ends of a connection, two datagram sockets, a pipe, a
// pair of sockets, a counter, an epoll with all of them, and a Unix-domain socket. All but the
// file, the epoll and the last are in non-blocking mode.
func openFixtures(call func(name string, args ...uint64) wasi.Errno, m []byte) {
	opened := func() uint64 { return uint64(binary.LittleEndian.Uint32(m[out:])) }
	copy(m[path:], "file1")
	call("path_open", dir, 1, path, pathLen, 0, uint64(wasi.RightsFile), 0, 0, out)
	open := func(typ uint64) uint64 {
		call("sock_open", minusOne, 0, typ, out)
		fd := opened()
		wasi.PutAddr(m[at:], loopback(0))
		call("sock_bind", fd, at)
		return fd
	}
	l := open(stream)
	call("sock_listen", l, 5)
	client := open(stream)
	call("sock_addr_local", l, at)
	call("sock_connect", client, at)
	call("sock_accept", l, 0, out)
	for _, fd := range []uint64{l, client, opened(), open(datagram), open(datagram)} {
		call("fd_fdstat_set_flags", fd, uint64(wasi.FdflagNonblock))
	}
	const nonblock = uint64(wasi.FdflagNonblock)
	call("fd_pipe", nonblock, out, out2)
	call("sock_pair", stream, nonblock, out, out2)
	call("fd_event", 1, nonblock, out)
	call("epoll_create", out)
	for fd := uint64(fixtureListener); fd <= fixtureCounter; fd++ {
		call("epoll_control", fixtureEpoll, uint64(system.EpollAdd), fd,
			uint64(system.EpollIn|system.EpollOut), fd)
	}
	call("sock_unix_open", stream, out)
	clear(m[at : at+wasi.SizeAddr])
}
