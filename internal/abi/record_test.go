package abi_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/platforms/recording"
	"github.com/wasport/wasport/internal/wasi"
)

// TestImportsAsRecorded makes calls of every import, and compares their results with those that
// were recorded on this platform. docs/platforms.md shows the recordings of all platforms.
func TestImportsAsRecorded(t *testing.T) {
	var lines []recording.Line
	for _, call := range goodCalls {
		lines = append(lines, recording.Line{Name: importName(call.name), Call: "good arguments",
			Result: record(t, call.do)})
		if wrong := record(t, call.doWrong); wrong != "" {
			lines = append(lines, recording.Line{Name: importName(call.name),
				Call: "wrong arguments", Result: wrong})
		}
	}
	for _, call := range wrongCalls() {
		var name string
		result := record(t, func(c *caller) string {
			defer func() { name = importName(c.last) }()
			return call.do(c).String()
		})
		lines = append(lines, recording.Line{Name: name, Call: call.name, Result: result})
	}
	for _, s := range slices.Concat(socketSituations, pollSituations, fileSituations()) {
		lines = append(lines, recording.Line{Name: s.name, Call: s.call,
			Result: record(t, s.do)})
	}
	recording.Compare(t, "imports.txt", append(lines, recordOptions(t)...))
}

// situation is a call of an import in some state of the guest.
type situation struct {
	name, call string
	do         func(*caller) string
}

// attempt lets a call fail that prepares another one: a platform may lack it.
type attempt struct{ testing.TB }

func (attempt) Fatalf(string, ...any) { runtime.Goexit() }

// record returns the result of do in a guest of its own. If do fails, that is the last call with
// its errno; if it does not end, that is told.
func record(t *testing.T, do func(*caller) string) string {
	c := newNetCaller(t)
	c.t = attempt{t}
	late := time.AfterFunc(20*time.Second, func() { c.guest.Kill(errBlocks) })
	defer late.Stop()
	result := make(chan string, 1)
	go func() {
		r, done := "", false
		defer func() {
			if c.guest.Err() != nil {
				r = errBlocks.Error()
			} else if !done {
				r = fmt.Sprintf("%v of %s before", c.lastErrno, importName(c.last))
			}
			result <- strings.ReplaceAll(r, wasi.Success.String(), "success")
		}()
		r = do(c)
		done = true
	}()
	return <-result
}

var errBlocks = errors.New("it does not end")

// importName returns the name of an import, with its number of parameters if others have its name.
func importName(export string) string {
	name, params, _ := strings.Cut(export, "/")
	if params != "" {
		return fmt.Sprintf("%s, %d parameters", name, len(params))
	}
	return name
}

func (g goodCall) do(c *caller) string {
	return c.call(g.name, g.args(c)...).String()
}

// doWrong makes the call with each pointer and each descriptor wrong.
func (g goodCall) doWrong(c *caller) string {
	var results []string
	a := g.args(c)
	add := func(what string, wrong uint64, at []int) {
		for n, i := range at {
			b := slices.Clone(a)
			b[i] = wrong
			result := what + " " + c.call(g.name, b...).String()
			if n == 0 || results[len(results)-1] != result {
				results = append(results, result)
			}
		}
	}
	add("pointer", nowhere, g.ptrs)
	add("closed descriptor", closed, g.fds)
	if g.sock {
		add("no socket", dir, g.fds)
	}
	return strings.Join(results, ", ")
}

// results joins errnos, each of which is told once if it follows itself.
func results(all ...wasi.Errno) string {
	var texts []string
	for _, e := range slices.Compact(all) {
		texts = append(texts, e.String())
	}
	return strings.Join(texts, ", then ")
}
