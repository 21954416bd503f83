// Package codecache keeps modules as they are prepared for wazero, and the machine code that wazero
// compiles them to, for the next process.
//
// The host executes that code outside of any sandbox, and relies on checks that the preparation has
// put into the module. wazero's own cache executes every file in its directory. This cache
// authenticates each entry with an HMAC (RFC 2104). The key lies outside of the cache. The code is
// copied to a private directory beside the key. It gets the name by which wazero finds it after the
// whole entry is verified. An entry that fails verification is ignored, and the module is prepared
// and compiled again.
//
// Which modules are compiled, and how, is decided in package engine. A Cache may be used from
// several goroutines; several processes may share a directory.
package codecache

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"
)

// Cache is an open cache. It may be used from several goroutines.
type Cache struct {
	dir, keyFile string
	key          []byte

	// Wazero is the cache to configure the runtime with.
	Wazero wazero.CompilationCache

	// privateDir is the directory that wazero reads from and writes to. keptLock keeps other
	// processes out of it; nil means that it is a new one, for this Cache alone.
	privateDir string
	keptLock   *os.File

	// versionDir is the directory in privateDir that wazero made for its version and this
	// processor.
	versionDir string

	// compileSlot is a semaphore of one, held while wazero compiles a module without an entry, so
	// that the new file is that module's.
	compileSlot chan struct{}

	// mu protects the fields below, and the files in versionDir.
	mu sync.Mutex
	// busy has a channel for each lock that a call of Compile holds, closed when it is given back.
	busy map[string]chan struct{}
	// restored has the paths of the files that removeRestored will remove.
	restored map[string]bool
	// spare is the path of the file for the next copy of machine code. It may be empty.
	spare string
}

// Open opens the cache in a directory. It makes the directory and the key file if they do not
// exist. The error tells if the key lies inside the cache or can be read by other users.
func Open(dir, keyFile string) (*Cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if isWithin(keyFile, dir) {
		return nil, fmt.Errorf("its key, %s, must not lie in the cache itself", keyFile)
	}
	key, err := readKey(keyFile)
	if err != nil {
		return nil, fmt.Errorf("its key: %w", err)
	}
	c := &Cache{dir: dir, keyFile: keyFile, key: key, compileSlot: make(chan struct{}, 1),
		busy: make(map[string]chan struct{}), restored: make(map[string]bool)}
	if err := c.openPrivateDir(); err != nil {
		return nil, err
	}
	return c, nil
}

// Paths returns the directory of the cache and that of its key. No guest may write to either.
func (c *Cache) Paths() (dir, keyDir string) { return c.dir, filepath.Dir(c.keyFile) }

// Source is a module as its author made it, and how it is prepared for wazero.
type Source struct {
	Module []byte

	// Recipe tells whatever else the Prepared of the module depends on: versions and options.
	Recipe string
}

// name is the name of the source's entry. It differs for each module and recipe.
func (s Source) name() string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n%s", len(s.Recipe), s.Recipe)
	h.Write(s.Module)
	return fmt.Sprintf("%x", h.Sum(nil))
}

// Prepared is a module as wazero compiles it.
type Prepared struct {
	Module []byte

	// Notes tell of the module, in a form of the caller's.
	Notes []byte
}

// Compile calls compile, which has the runtime compile the module that prepare makes of a source.
// If there is an entry of the source, compile gets the module from it, prepare is not called, and
// the machine code is restored to wazero's directory. Otherwise Compile stores a new entry. An
// entry that cannot be restored or stored changes no result: the next process compiles the module
// again.
//
// One module is compiled at a time. A source with an entry waits only for calls with the same
// module. The error is that of prepare or compile, or the cause of ctx if that ends before compile
// is called.
func (c *Cache) Compile(ctx context.Context, source Source, prepare func() (Prepared, error),
	compile func(Prepared) error) error {
	name := source.name()
	unlock, err := c.lock(ctx, "source "+name)
	if err != nil {
		return err
	}
	defer unlock()
	e, found := c.readEntry(name, len(source.Module))
	if !found {
		p, err := prepare()
		if err != nil {
			return err
		}
		e = entry{Prepared: p, id: sha256.Sum256(p.Module)}
	}
	// Several sources may have one module, if the preparation drops the difference.
	if unlock, err = c.lock(ctx, fmt.Sprintf("module %x", e.id)); err != nil {
		if found {
			os.Remove(e.code)
		}
		return err
	}
	defer unlock()
	if found {
		if path, ok := c.restore(e); ok {
			defer c.removeRestored(path)
			return compile(e.Prepared)
		}
		os.Remove(e.code)
	}
	return c.compileNew(ctx, name, e, compile)
}

// compileNew compiles a module, and stores an entry for it.
func (c *Cache) compileNew(ctx context.Context, name string, e entry,
	compile func(Prepared) error) error {
	select {
	case c.compileSlot <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-c.compileSlot }()
	// Another process may have removed it as stale.
	os.MkdirAll(c.versionPath(), 0o700)
	err := compile(e.Prepared)
	if file, code, ok := c.takeCompiled(); ok && err == nil {
		e.file = file
		c.writeEntry(name, e, code)
	}
	return err
}

// lock waits until no other call holds the lock of a name. Each module has one: wazero publishes a
// module that it reads from a file before it has finished it, so that a second call would use half
// of it.
func (c *Cache) lock(ctx context.Context, name string) (unlock func(), err error) {
	for {
		c.mu.Lock()
		done, busy := c.busy[name]
		if !busy {
			c.busy[name] = make(chan struct{})
		}
		c.mu.Unlock()
		if !busy {
			return func() { c.unlock(name) }, nil
		}
		select {
		case <-done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (c *Cache) unlock(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.busy[name])
	delete(c.busy, name)
}

func (c *Cache) versionPath() string { return filepath.Join(c.privateDir, c.versionDir) }

// restore gives the machine code of an entry the name by which wazero finds it. It reports false if
// it cannot.
func (c *Cache) restore(e entry) (path string, ok bool) {
	path = filepath.Join(c.versionPath(), e.file)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.restored[path] || os.Rename(e.code, path) != nil {
		return "", false
	}
	c.restored[path] = true
	return path, true
}

func (c *Cache) removeRestored(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.giveBack(path)
	delete(c.restored, path)
}

// takeCompiled removes the files that wazero has written, and returns the one of the module that
// was compiled. It reports false if there are none or several: wazero may also have compiled a
// module anew whose restored file it did not use. compileSlot is held.
func (c *Cache) takeCompiled() (file string, code []byte, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	files, err := os.ReadDir(c.versionPath())
	if err != nil {
		return "", nil, false
	}
	count := 0
	for _, e := range files {
		path := filepath.Join(c.versionPath(), e.Name())
		if c.restored[path] || strings.HasSuffix(e.Name(), tempSuffix) {
			continue
		}
		file = e.Name()
		if code, err = os.ReadFile(path); err == nil {
			count++
		}
		os.Remove(path)
	}
	return file, code, count == 1
}

// tempSuffix ends the name of a file that is not yet complete, wazero's as well as those of
// writeEntry.
const tempSuffix = ".tmp"

// IsStoreError reports whether wazero has compiled a module but could not write the code to a file
// (ENOSPC, for one). wazero keeps such a module, and counts one use of it, although it returns the
// error.
func IsStoreError(err error) bool {
	var path *fs.PathError
	if errors.As(err, &path) {
		return strings.HasSuffix(path.Path, tempSuffix)
	}
	var link *os.LinkError
	return errors.As(err, &link) && strings.HasSuffix(link.Old, tempSuffix)
}

// isWithin reports whether a path lies in a directory. It compares directories with os.SameFile,
// since one directory has several names.
func isWithin(path, dir string) bool {
	target, err := os.Stat(dir)
	if err != nil {
		return false
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	for parent := filepath.Dir(abs); ; parent = filepath.Dir(parent) {
		if info, err := os.Stat(parent); err == nil && os.SameFile(info, target) {
			return true
		}
		if parent == filepath.Dir(parent) {
			return false
		}
	}
}
