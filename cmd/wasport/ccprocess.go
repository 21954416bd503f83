package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// processFunctions are the functions of the C library that fail with ENOSYS, since WASI has no
// processes. A program that has them compiles, so the link tells of it.
var processFunctions = []string{"fork", "vfork", "execve", "execv", "execvp", "execl", "execle",
	"execlp", "wait", "waitpid", "wait3", "wait4"}

// traceProcessFunctions are flags by which the linker prints a line for each file that refers to,
// or defines, one of processFunctions (ld(1), --trace-symbol).
func traceProcessFunctions() (flags []string) {
	for _, name := range processFunctions {
		flags = append(flags, "-Wl,--trace-symbol="+name)
	}
	return flags
}

// linkWarner passes the linker's output on, without the lines of --trace-symbol.
type linkWarner struct {
	out io.Writer
	// rest is the beginning of a line.
	rest []byte
	// refer are the functions that a file of the program refers to, and own those that it defines.
	refer, own []string
}

func (w *linkWarner) Write(b []byte) (int, error) {
	w.rest = append(w.rest, b...)
	for {
		line, rest, whole := bytes.Cut(w.rest, []byte("\n"))
		if !whole {
			return len(b), nil
		}
		w.rest = rest
		if w.note(string(line)) {
			continue
		}
		if _, err := w.out.Write(append(line, '\n')); err != nil {
			return 0, err
		}
	}
}

// note reports whether a line is one of --trace-symbol.
func (w *linkWarner) note(line string) bool {
	words := strings.Fields(line)
	if len(words) < 3 {
		return false
	}
	name := words[len(words)-1]
	if !slices.Contains(processFunctions, name) || words[len(words)-2] != "of" &&
		words[len(words)-2] != "to" {
		return false
	}
	switch ours := strings.Contains(line, "libwasport"); {
	case strings.HasSuffix(line, ": reference to "+name) && !ours:
		w.refer = append(w.refer, name)
	case strings.HasSuffix(line, ": definition of "+name) && !ours:
		w.own = append(w.own, name)
	}
	return true
}

// warn prints the rest of the output, and a line for each function that the program calls and does
// not define itself.
func (w *linkWarner) warn(to io.Writer) {
	w.out.Write(w.rest)
	slices.Sort(w.refer)
	for _, name := range slices.Compact(w.refer) {
		if !slices.Contains(w.own, name) {
			fmt.Fprintf(to, "wasport cc: warning: the program calls %s, which fails with ENOSYS: "+
				"WASI has no processes\n", name)
		}
	}
}
