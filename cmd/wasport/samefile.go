package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// namedFile is a file that the command line names.
type namedFile struct {
	// role is its flag, or "the module". danger completes "the program could", for a file where the
	// program may write.
	role, path, danger string
}

// redirects is the danger of an output.
const redirects = "have the host write to another file"

// namedFiles returns the files that flags name.
func (f *runFlags) namedFiles() []namedFile {
	return []namedFile{
		{"--policy", f.permissions.file, permissionsDanger},
		{"--policy-ceiling", f.permissions.ceiling, permissionsDanger},
		{"--learn", f.monitoring.learn, redirects},
		{"--audit", f.monitoring.audit, redirects},
		{"--trace-file", f.traceFile, redirects},
	}
}

// checkOutputs refuses an output that is also another file of the command line, which it would
// overwrite: the trace would empty a policy before it is read. --learn may name the policy, since
// it adds to it at the end.
func (f *runFlags) checkOutputs(module string) error {
	files := append([]namedFile{{role: "the module", path: module}}, f.namedFiles()...)
	for i, out := range files {
		if out.danger != redirects {
			continue
		}
		if stream, name := redirectedTo(out.path); stream != "" {
			return usageError("", "%s %s is the file that %s goes to, and one would overwrite the "+
				"other; write %s %s", out.role, out.path, stream, out.role, name)
		}
		for _, other := range files[:i] {
			if out.role == "--learn" && other.role == "--policy" ||
				!sameFile(out.path, other.path) {
				continue
			}
			return usageError("", "%s and %s are the same file, %s; name another file after %s",
				out.role, other.role, out.path, out.role)
		}
	}
	return nil
}

// sourceSuffixes are those of clang's sources. The values of other flags, such as -MT, may name the
// output.
var sourceSuffixes = []string{".c", ".cc", ".cpp", ".cxx", ".C", ".i", ".ii", ".s", ".S"}

// checkCompilerOutput refuses a module that clang would write over one of its sources.
func checkCompilerOutput(command string, args []string) error {
	output := ""
	for i, a := range args {
		if a == "-o" && i+1 < len(args) {
			output = args[i+1]
		} else if name, ok := strings.CutPrefix(a, "-o"); ok && name != "" {
			output = name
		}
	}
	for i, a := range args {
		isSource := slices.Contains(sourceSuffixes, filepath.Ext(a)) &&
			!strings.HasPrefix(a, "-") && (i == 0 || args[i-1] != "-o")
		if isSource && sameFile(a, output) {
			return usageError(command, "%s is compiled, and -o would overwrite it; name another "+
				"file after -o", a)
		}
	}
	return nil
}

// sameFile reports whether two paths lead to one file, or would, once it exists. Devices and pipes
// take several outputs.
func sameFile(a, b string) bool {
	if a == "" || b == "" || standardStream(a) != nil || standardStream(b) != nil {
		return false
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(infoA, infoB) && infoA.Mode().IsRegular()
	}
	return errA != nil && errB != nil && resolved(a) == resolved(b)
}

// redirectedTo returns the standard stream that goes to a file, and the name by which flags write
// to the stream itself.
func redirectedTo(path string) (stream, name string) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || standardStream(path) != nil {
		return "", ""
	}
	if out, err := os.Stdout.Stat(); err == nil && os.SameFile(info, out) {
		return "stdout", "-"
	}
	if out, err := os.Stderr.Stat(); err == nil && os.SameFile(info, out) {
		return "stderr", "/dev/stderr"
	}
	return "", ""
}

// resolved returns the path at which a new file is made.
func resolved(path string) string {
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return filepath.Clean(path)
	}
	if absolute, err := filepath.Abs(dir); err == nil {
		dir = absolute
	}
	return filepath.Join(dir, filepath.Base(path))
}
