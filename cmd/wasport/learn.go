package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/wasport/wasport/internal/hostpath"
	"github.com/wasport/wasport/policy"
)

// lesson is what --learn names: the file of a policy, which is there already or not, or a stream.
type lesson struct {
	path    string
	file    *os.File
	stream  bool // it is written alone, and not read
	known   *policy.Policy
	learner policy.Learner
}

// openLesson reads the policy that is there, and keeps the file open, so that what was read is what
// is written.
func openLesson(path string) (*lesson, error) {
	if f := standardFile(path); f != nil {
		return &lesson{path: path, file: f, stream: true}, nil
	}
	l := &lesson{path: path}
	flags := os.O_RDWR | os.O_CREATE
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		l.stream, flags = true, os.O_WRONLY
	}
	file, err := hostpath.Open(path, flags, 0o666)
	if err != nil {
		return nil, usage("", "--learn %s: %w", path, plain(err))
	}
	l.file = file
	if l.stream {
		return l, nil
	}
	text, err := io.ReadAll(file)
	if err == nil {
		l.known, err = policy.Parse(path, text)
	}
	if err != nil {
		file.Close()
		return nil, usage("", "--learn: %w", err)
	}
	l.learner.Known = l.known
	return l, nil
}

// denies returns the rules that hold while it is learnt, since with others the file would be no
// policy any more.
func (l *lesson) denies() []policy.Rule {
	return slices.DeleteFunc(l.known.Rules(), func(r policy.Rule) bool {
		return r.Effect() == policy.Allow
	})
}

// write adds what a run of a module used to the file, after other runs that are about to.
func (l *lesson) write(module string) error {
	if l.file != os.Stdout && l.file != os.Stderr {
		defer l.file.Close()
	}
	var text []byte
	var err error
	if !l.stream { // again, because it may have been edited meanwhile, or learnt from another run
		if err = lock(l.file); err == nil {
			text, err = io.ReadAll(io.NewSectionReader(l.file, 0, math.MaxInt64))
		}
	}
	if err != nil {
		return fmt.Errorf("--learn: %w", err)
	}
	merged, added, err := policy.Merge(l.path, text, l.learner.Rules())
	if err != nil {
		return fmt.Errorf("--learn: what was learnt is not written: %w", err)
	}
	said := fmt.Sprintf("added %s to %s", count(added, "rule"), l.path)
	switch {
	case len(text) == 0:
		heading := fmt.Sprintf("# What a run of %q used of the network.\n", module)
		merged = append([]byte(heading), merged...)
		said = fmt.Sprintf("wrote %s, with %s", l.path, count(added, "rule"))
	case added == 0:
		said = l.path + " needs no other rules"
	}
	switch {
	case l.stream:
		_, err = l.file.Write(merged)
	case !bytes.Equal(text, merged):
		_, err = l.file.WriteAt(merged, 0) // merging only inserts, so no old text is left behind
	}
	if err != nil {
		return fmt.Errorf("--learn: %w", err)
	}
	if !l.stream {
		say("wasport: " + said + "\n")
	}
	return nil
}

// standardFile returns the standard stream that a name stands for, nil if it is a file's. A stream
// is not opened again by its name: that would have an offset of its own, and write over what goes
// to the stream (proc(5), /proc/pid/fd).
func standardFile(name string) *os.File {
	switch name {
	case "-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1":
		return os.Stdout
	case "/dev/stderr", "/dev/fd/2", "/proc/self/fd/2":
		return os.Stderr
	}
	return nil
}
