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

// learnFile is the output of --learn: the file of a policy, new or existing, or a stream.
type learnFile struct {
	path string
	file *os.File
	// stream says that the output is only written, such as stdout or a FIFO. Otherwise it is a
	// policy, which write extends.
	stream  bool
	known   *policy.Policy
	learner policy.Learner
}

// openLearnFile reads the existing policy. It keeps the file open so that write changes the same
// file, even if its name leads elsewhere by then.
func openLearnFile(path string) (*learnFile, error) {
	if f := standardStream(path); f != nil {
		return &learnFile{path: path, file: f, stream: true}, nil
	}
	l := &learnFile{path: path}
	flags := os.O_RDWR | os.O_CREATE
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		l.stream, flags = true, os.O_WRONLY
	}
	file, err := hostpath.Open(path, flags, 0o666)
	if err != nil {
		return nil, usageError("", "--learn %s: %w", path, plainError(err))
	}
	l.file = file
	if l.stream {
		return l, nil
	}
	text, err := readAtMost(file, maxPolicySize, "")
	if err == nil {
		l.known, err = policy.Parse(path, text)
	}
	if err != nil {
		file.Close()
		return nil, usageError("", "--learn: %w", err)
	}
	l.learner.Known = l.known
	return l, nil
}

// denies returns the deny rules of the file. They hold while the run is learnt from: a rule learnt
// against one of them would have no effect.
func (l *learnFile) denies() []policy.Rule {
	return slices.DeleteFunc(l.known.Rules(), func(r policy.Rule) bool {
		return r.Effect() == policy.Allow
	})
}

// write adds the rules that a run of a module needs to the file. It locks the file, since other
// runs may add to it at the same time.
func (l *learnFile) write(module string) error {
	if l.file != os.Stdout && l.file != os.Stderr {
		defer l.file.Close()
	}
	var text []byte
	var err error
	if !l.stream { // read it again: an editor or another run may have changed it since
		if err = lockFile(l.file); err == nil {
			text, err = readAtMost(io.NewSectionReader(l.file, 0, math.MaxInt64), maxPolicySize,
				"")
		}
	}
	if err != nil {
		return fmt.Errorf("--learn: %w", err)
	}
	merged, added, err := policy.Merge(l.path, text, l.learner.Rules())
	if err != nil {
		return fmt.Errorf("--learn: what was learnt is not written: %w", err)
	}
	summary := fmt.Sprintf("added %s to %s", plural(added, "rule"), l.path)
	switch {
	case len(text) == 0:
		heading := fmt.Sprintf("# What a run of %q used of the network.\n", module)
		merged = append([]byte(heading), merged...)
		summary = fmt.Sprintf("wrote %s, with %s", l.path, plural(added, "rule"))
	case added == 0:
		summary = l.path + " needs no other rules"
	}
	switch {
	case l.stream:
		_, err = l.file.Write(merged)
	case !bytes.Equal(text, merged):
		_, err = l.file.WriteAt(merged, 0) // Merge only inserts, so no old text remains behind it
	}
	if err != nil {
		return fmt.Errorf("--learn: %w", err)
	}
	if !l.stream {
		printMessage(summary)
	}
	return nil
}

// plural counts things in English.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// standardStream returns the standard stream that a name stands for, or nil for any other file. A
// second open of the name would have a file offset of its own, and overwrite output of the stream
// (proc_pid_fd(5)).
func standardStream(name string) *os.File {
	switch name {
	case "-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1":
		return os.Stdout
	case "/dev/stderr", "/dev/fd/2", "/proc/self/fd/2":
		return os.Stderr
	}
	return nil
}
