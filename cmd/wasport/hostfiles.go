package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/engine/codecache"
	"github.com/wasport/wasport/internal/hostpath"
)

// checkHostFiles refuses files of the host that the guest could replace, since they lie in a
// directory that it may write to. It runs before any of these files is opened or created.
func (f *runFlags) checkHostFiles() error {
	all := slices.Concat(f.config.Dirs, f.mappedDirs)
	for _, d := range all {
		if err := checkDirectory(d.Host); err != nil {
			return usageError("", "directory %s: %w", d.Host, err)
		}
	}
	names := make(map[string]bool)
	for _, d := range all {
		name := path.Clean(cmp.Or(d.Guest, d.Host))
		if names[name] {
			return usageError("", "two directories have the name %s; give each a name of its own: "+
				"--dir HOST::NAME", name)
		}
		names[name] = true
	}
	writable := writableBut(all, -1)
	for i, d := range all {
		if d.Quota == 0 || d.ReadOnly {
			continue
		}
		var overlap *hostpath.Error
		if err := hostpath.CheckApart(d.Host, writableBut(all, i)); errors.As(err, &overlap) {
			return usageError("",
				"--dir %s has a quota, and %w: add :ro to one of them, or leave it "+
					"out", d.Host, err)
		}
	}
	dirs, err := hostpath.New(writable)
	if err != nil {
		return err
	}
	f.permissions.writable = dirs
	files := f.namedFiles()
	for _, a := range f.listen {
		if a.network == "unix" {
			files = append(files,
				namedFile{"--listen", a.host, "have the host remove another file"})
		}
	}
	for _, file := range files {
		if file.path == "" || standardStream(file.path) != nil {
			continue
		}
		if err := checkOutside(dirs, file.path, file.danger); err != nil {
			return usageError("", "%s %w; name a file elsewhere, or add :ro to --dir", file.role,
				err)
		}
	}
	return f.checkCacheDir(dirs)
}

// checkDirectory returns an error unless a path leads to a directory that can be opened.
func checkDirectory(path string) error {
	info, err := os.Stat(path)
	var failed *fs.PathError
	switch {
	case errors.As(err, &failed):
		return plainError(failed.Err)
	case err == nil && !info.IsDir():
		return errors.New("not a directory")
	case err != nil:
		return err
	}
	dir, err := os.Open(path)
	if err != nil {
		return plainError(err)
	}
	return dir.Close()
}

// writableBut lists the directories that the guest may write to, without the one at an index.
func writableBut(dirs []wasport.Dir, index int) (hosts []string) {
	for i, d := range dirs {
		if i != index && !d.ReadOnly {
			hosts = append(hosts, d.Host)
		}
	}
	return hosts
}

// permissionsDanger completes "the program could", for a policy in a writable directory.
const permissionsDanger = "give itself other permissions"

// checkOutside returns an error for a file within the directories that the guest may write to.
// danger completes "the program could".
func checkOutside(dirs hostpath.Dirs, path, danger string) error {
	err := dirs.Check(path)
	var within *hostpath.Error
	if errors.As(err, &within) {
		return fmt.Errorf("%s: it %s %s, where the program may write, and could %s",
			path, within.How, within.Dir, danger)
	}
	return err
}

// checkCacheDir refuses a cache of compiled modules that the guest could fill with machine code,
// and one whose key it could read. If this run does not use the cache, the guest can still change
// it for later runs, so checkCacheDir warns.
func (f *runFlags) checkCacheDir(dirs hostpath.Dirs) error {
	dir, err := f.compiledDir()
	key, keyErr := codecache.DefaultKeyFile()
	if err != nil || keyErr != nil || len(dirs) == 0 {
		return nil // load reports these errors
	}
	for _, path := range []string{dir, filepath.Dir(key)} {
		err := dirs.CheckDir(path)
		var within *hostpath.Error
		if !errors.As(err, &within) {
			continue
		}
		reason := fmt.Sprintf("compiled modules are kept in %s, and the key to them in %s: "+
			"%s %s %s, where the program may write, and could have later runs execute machine "+
			"code of its own", dir, filepath.Dir(key), path, within.How, within.Dir)
		if f.cacheDisabled() {
			if _, err := os.Stat(key); err == nil {
				warnf("%s", reason)
			}
			return nil
		}
		return usageError("", "%s; add :ro to --dir, grant a smaller directory, name another "+
			"cache with --cache-dir DIR, or keep none with --no-cache", reason)
	}
	return nil
}

// cacheDisabled reports whether this run neither reads nor writes compiled modules.
func (f *runFlags) cacheDisabled() bool { return f.noCache || f.runtime.Interpreter }

// compiledDir returns the directory of the compiled modules.
func (f *runFlags) compiledDir() (string, error) {
	if f.cacheDir != "" {
		return f.cacheDir, nil
	}
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "wasport"), err
}
