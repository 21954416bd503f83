package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/wasport/wasport/internal/engine/codecache"
	"github.com/wasport/wasport/internal/hostpath"
)

// keepApart refuses files of the host's that the program could replace, since they lie in a
// directory that it may write to. It is asked before any of them is opened or made.
func (f *runFlags) keepApart() error {
	var writable []string
	for _, d := range slices.Concat(f.config.Dirs, f.mapped) {
		if !d.ReadOnly {
			writable = append(writable, d.Host)
		}
	}
	dirs, err := hostpath.New(writable)
	if err != nil {
		return usage("", "%w", err)
	}
	f.permissions.apart = dirs
	const redirects = "have the host write to another file"
	for _, file := range []struct{ flag, path, could string }{
		{"--learn", f.oversight.learn, redirects},
		{"--audit", f.oversight.audit, redirects},
		{"--trace-file", f.traceFile, redirects},
		{"--policy", f.permissions.file, "give itself other permissions"},
		{"--policy-ceiling", f.permissions.ceiling, "give itself other permissions"},
	} {
		if file.path == "" || standardFile(file.path) != nil {
			continue
		}
		if err := checkApart(dirs, file.path, file.could); err != nil {
			return usage("", "%s %w; name a file elsewhere, or add :ro to --dir", file.flag, err)
		}
	}
	return f.keepCacheApart(dirs)
}

// checkApart says why a file of the host's is not the host's alone.
func checkApart(dirs hostpath.Dirs, path, could string) error {
	err := dirs.Check(path)
	var within *hostpath.Error
	if errors.As(err, &within) {
		return fmt.Errorf("%s: it %s %s, where the program may write, and could %s",
			path, within.How, within.Dir, could)
	}
	return err
}

// keepCacheApart refuses a cache of compiled modules in which the program could put machine code,
// and one whose key it could read. Without the cache it could still do that to the cache of later
// runs.
func (f *runFlags) keepCacheApart(dirs hostpath.Dirs) error {
	dir, err := f.cachePath()
	key, keyErr := codecache.DefaultKeyFile()
	if err != nil || keyErr != nil || len(dirs) == 0 {
		return nil // what is wrong is said when they are to be used
	}
	for _, path := range []string{dir, filepath.Dir(key)} {
		err := dirs.CheckDir(path)
		var within *hostpath.Error
		if !errors.As(err, &within) {
			continue
		}
		why := fmt.Sprintf("compiled modules are kept in %s, and the key to them in %s: %s %s %s, "+
			"where the program may write, and could have later runs execute machine code of its own",
			dir, filepath.Dir(key), path, within.How, within.Dir)
		if f.uncached() {
			if _, err := os.Stat(key); err == nil {
				warn("%s", why)
			}
			return nil
		}
		return usage("", "%s; add :ro to --dir, grant a smaller directory, name another cache with "+
			"--cache-dir DIR, or keep none with --no-cache", why)
	}
	return nil
}

// uncached reports whether compiled modules are neither kept nor looked for.
func (f *runFlags) uncached() bool { return f.noCache || f.runtime.Interpreter }

// cachePath is where compiled modules are kept.
func (f *runFlags) cachePath() (string, error) {
	if f.cacheDir != "" {
		return f.cacheDir, nil
	}
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "wasport"), err
}
