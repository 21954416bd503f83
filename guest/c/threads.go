package guestc

import (
	"cmp"
	"path/filepath"
	"slices"
)

// threadTargets are the targets with threads: of wasi-sdk since version 25, and before.
var threadTargets = []string{"wasm32-wasip1-threads", "wasm32-wasi-threads"}

// FindThreads finds a toolchain for programs with threads, where Find would, or in the directory in
// which the documents of the wasi-sdk place it. The error is a *MissingError if a part is missing.
func FindThreads(getenv func(string) string) (*Toolchain, error) {
	t, err := Find(getenv)
	if err != nil {
		return nil, err
	}
	if t.takeThreads() {
		return t, nil
	}
	missing := &MissingError{What: "a C library with threads, for -pthread,"}
	if dir := cmp.Or(getenv("WASI_SYSROOT"), getenv("WASI_SDK_PATH")); dir != "" {
		missing.What = "a C library with threads in " + dir + ", for -pthread,"
		return nil, missing
	}
	t = &Toolchain{
		clang:   filepath.Join(defaultSDK, "bin", "clang"),
		sysroot: filepath.Join(defaultSDK, "share", "wasi-sysroot"),
	}
	if !t.takeThreads() {
		return nil, missing
	}
	return t, nil
}

// takeThreads makes the target the one with threads, and reports whether there is one.
func (t *Toolchain) takeThreads() bool {
	for _, target := range threadTargets {
		if exists(filepath.Join(cmp.Or(t.sysroot, "/usr"), "lib", target, "libc.a")) {
			t.target, t.threads = target, true
			return true
		}
	}
	return false
}

// threadLinkFlags make the module import its memory, since each thread is another instance of the
// module, and bound the memory, which costs nothing before it is touched. The C library exports
// wasi_thread_start. The user's own flags come later and take precedence.
var threadLinkFlags = []string{"-Wl,--shared-memory", "-Wl,--import-memory", "-Wl,--export-memory",
	"-Wl,--max-memory=1073741824"}

// WantsThreads reports whether a command line asks for threads, by the last of -pthread and
// -no-pthread.
func WantsThreads(args []string) bool {
	for _, arg := range slices.Backward(args) {
		switch arg {
		case "-pthread":
			return true
		case "-no-pthread":
			return false
		}
	}
	return false
}
