package codecache

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
)

const (
	// keptDir is the private directory that stays, of one process at a time. To make and remove
	// directories and files for each process takes a file system far longer than to write to them:
	// ext4 goes through the inodes that were removed in the last minutes.
	keptDir = "compiling"

	// privatePrefix begins the names of the directories of the other processes.
	privatePrefix = "compiling-"

	// staleAfter is the age at which such a directory counts as left by a crash.
	staleAfter = 24 * time.Hour

	// spareName is the name of the spare file in wazero's directory.
	spareName = "spare" + tempSuffix

	// maxSpare bounds the spare file, in bytes.
	maxSpare = 4 << 20
)

// openPrivateDir opens the private directory, and has wazero make its own in it.
func (c *Cache) openPrivateDir() (err error) {
	keyDir := filepath.Dir(c.keyFile)
	removeStale(keyDir)
	if c.openKeptDir(filepath.Join(keyDir, keptDir)) {
		return nil
	}
	if c.privateDir, err = os.MkdirTemp(keyDir, privatePrefix); err != nil {
		return err
	}
	if err = c.openVersionDir(); err != nil {
		os.RemoveAll(c.privateDir)
	}
	return err
}

// openKeptDir opens the private directory that stays. It reports false if another process has it,
// if another user could have written to it, or if something is left in it that cannot be removed:
// wazero would run a file there that has the right name.
func (c *Cache) openKeptDir(path string) bool {
	lock, ok := lockDir(path)
	if !ok {
		return false
	}
	c.privateDir = path
	if ok = c.openVersionDir() == nil; !ok {
		removeAllIn(path, "") // It has the directory of another version of wazero, too.
		ok = c.openVersionDir() == nil
	}
	hasSpare := false
	if ok = ok && isPrivate(c.versionPath()); ok {
		hasSpare, ok = removeAllIn(c.versionPath(), spareName) // A crash may have left files.
	}
	if !ok {
		lock.Close()
		return false
	}
	if c.keptLock = lock; hasSpare {
		c.spare = filepath.Join(c.versionPath(), spareName)
	}
	return true
}

// openVersionDir has wazero make the directory for its version, or finds it.
func (c *Cache) openVersionDir() (err error) {
	if c.Wazero, err = wazero.NewCompilationCacheWithDir(c.privateDir); err != nil {
		return err
	}
	files, err := os.ReadDir(c.privateDir)
	if err == nil && len(files) != 1 {
		err = errors.New("wazero does not make a directory for its version")
	}
	if err == nil {
		c.versionDir = files[0].Name()
	}
	return err
}

// removeAllIn empties a directory, but for one file. It reports whether there is that file, and
// whether nothing else is left.
func removeAllIn(dir, keep string) (kept, emptied bool) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return false, false
	}
	for _, e := range list {
		if e.Name() == keep && e.Type().IsRegular() {
			kept = true
		} else if os.RemoveAll(filepath.Join(dir, e.Name())) != nil {
			return false, false
		}
	}
	return kept, true
}

// Close gives the private directory back, or removes it. The caller closes c.Wazero first.
func (c *Cache) Close() error {
	if c.keptLock != nil {
		return c.keptLock.Close()
	}
	return os.RemoveAll(c.privateDir)
}

// newCopy opens a file for a copy of machine code, which may have other contents. Its name is not
// one that wazero looks for.
func (c *Cache) newCopy() (*os.File, error) {
	c.mu.Lock()
	spare := c.spare
	c.spare = ""
	c.mu.Unlock()
	if spare != "" {
		if f, err := os.OpenFile(spare, os.O_WRONLY, 0); err == nil {
			return f, nil
		}
	}
	return os.CreateTemp(c.versionPath(), "*"+tempSuffix)
}

// giveBack makes a copy of machine code the spare file, or removes it. c.mu is held.
func (c *Cache) giveBack(path string) {
	info, err := os.Lstat(path)
	if err == nil && c.keptLock != nil && c.spare == "" && info.Size() <= maxSpare {
		spare := filepath.Join(c.versionPath(), spareName)
		if os.Rename(path, spare) == nil {
			c.spare = spare
			return
		}
	}
	os.Remove(path)
}

// removeStale removes private directories that crashed processes have left.
func removeStale(keyDir string) {
	list, err := os.ReadDir(keyDir)
	if err != nil {
		return
	}
	for _, e := range list {
		if !strings.HasPrefix(e.Name(), privatePrefix) {
			continue
		}
		info, err := e.Info()
		if err == nil && info.IsDir() && time.Since(info.ModTime()) > staleAfter {
			os.RemoveAll(filepath.Join(keyDir, e.Name()))
		}
	}
}
