package wasi2

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/component/canon"
)

// FuzzSockets calls functions of sockets in any order with any flat arguments and any memory. Each
// byte of calls names a function, and what follows are its arguments: mostly handles that exist.
// Nothing but a trap may come of it. Functions that wait are left out.
func FuzzSockets(f *testing.F) {
	for _, seed := range [][]byte{
		{0, 0, 1, 2, 3, 4}, []byte(strings.Repeat("\x00\x01\x02\x03", 40)),
		[]byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
	} {
		f.Add(seed, []byte("\x01\x00\x00\x00\x50\x00\x7f\x00\x00\x01"))
	}
	names := socketFunctions()
	f.Fuzz(func(t *testing.T, calls, memory []byte) {
		c := newNetCaller(t, anyLoopback...)
		defer c.Thread.Guest.Close()
		copy(c.memory[firstFree:], memory)
		for range 64 {
			if len(calls) == 0 {
				return
			}
			name := names[int(calls[0])%len(names)]
			args := make([]uint64, 16)
			calls = calls[1:]
			for i := range args {
				if len(calls) > 0 {
					args[i], calls = fuzzedArg(calls)
				}
			}
			_, err := c.try(name, args)
			var trap *canon.Trap
			if err != nil && !errors.As(err, &trap) {
				t.Fatalf("%s: got %v, want a trap or a result", name, err)
			}
		}
	})
}

// fuzzedArg takes an argument: one byte for a small number, or more for any.
func fuzzedArg(b []byte) (uint64, []byte) {
	switch {
	case b[0] < 0xF0 || len(b) < 9:
		return uint64(b[0] & 15), b[1:]
	case b[0] < 0xF8:
		return firstFree + uint64(b[1]), b[2:]
	}
	return binary.LittleEndian.Uint64(b[1:]), b[9:]
}

// socketFunctions returns the functions that do not wait.
func socketFunctions() (names []string) {
	for _, t := range append(socketTables(), &ioStreams, &ioPoll) {
		for _, r := range t.rows {
			if !strings.Contains(r.name, "block") && r.name != "poll" {
				names = append(names, strings.TrimPrefix(t.name, "wasi:")+"."+r.name)
			}
		}
	}
	return names
}
