package wasi2

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
)

var errKilled = errors.New("killed")

// FuzzFunctions makes arbitrary calls of all functions, in either form, in a guest that has a
// directory and may use loopback. Each call must return, trap or end the guest, soon after the
// guest is killed at the latest. A byte names the function; its arguments follow.
func FuzzFunctions(f *testing.F) {
	var names []string
	for _, i := range Interfaces() {
		for _, name := range i.FunctionNames {
			names = append(names, strings.TrimPrefix(i.Name, "wasi:")+"."+name)
		}
	}
	if len(names) > 256 {
		f.Fatal("more functions than a byte can tell apart")
	}
	for i := range names {
		f.Add([]byte{byte(i), 1, 2, 3, 4, 5, 6, 7, byte(i), 0xF0, 9, 1, 1, 1}, []byte("file"), true)
	}
	f.Fuzz(func(t *testing.T, calls, memory []byte, generic bool) {
		c := fuzzedCaller(t)
		c.generic = generic
		copy(c.memory[firstFree:], memory)
		timer := time.AfterFunc(20*time.Millisecond, func() { c.Kill(errKilled) })
		defer timer.Stop()
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.callAll(names, calls)
		}()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			panic("a call goes on although the guest has ended") // prints the stack of the call
		}
	})
}

// fuzzedCaller makes a caller with a handle of each resource that can be had without arguments.
func fuzzedCaller(t *testing.T) *caller {
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(dir+"/file", []byte("text"), 0o644),
		os.Mkdir(dir+"/dir", 0o755)); err != nil {
		t.Fatal(err)
	}
	root, err := hostfs.OpenRoot(dir, hostfs.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	c := newCaller(t, system.Config{
		Args: []string{"app"}, Env: []string{"A=1"},
		Stdin: strings.NewReader("input"), Stdout: new(bytes.Buffer),
		Preopens: []system.Preopen{{Dir: root, Name: "/", Quota: 1 << 20}},
		Network: guard.New(kernel.New(kernel.Config{}), testutil.Policy(t, anyLoopback...),
			guard.Options{}),
		MaxDescriptors: 32,
	})
	in := c.handle("cli/stdin.get-stdin")
	c.handle("cli/stdout.get-stdout")
	c.handle("filesystem/preopens.get-directories")
	c.handle("sockets/instance-network.instance-network")
	for _, create := range []string{createTCP, createUDP} {
		c.handle(create, 0)
	}
	c.handle(inStream+"subscribe", in)
	return c
}

// callAll makes at most 64 encoded calls, until one ends the guest.
func (c *caller) callAll(names []string, calls []byte) {
	for range 64 {
		if len(calls) == 0 {
			return
		}
		name := names[int(calls[0])%len(names)]
		calls = calls[1:]
		var list [16]any
		for i := range list {
			list[i] = 0
			if len(calls) > 0 {
				list[i], calls = fuzzedArg(calls)
			}
		}
		_, err := c.try(name, list[:]...)
		var trap *canon.Trap
		switch {
		case err == nil, errors.As(err, &trap):
		case !errors.Is(err, c.Err()):
			c.Errorf("%s: got %v, want a trap or the guest's end", name, err)
		default:
			return
		}
	}
}
