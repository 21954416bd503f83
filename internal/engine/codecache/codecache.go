// Package codecache keeps the machine code that wazero compiles modules to, for the next process.
//
// The host executes that code outside of any sandbox. wazero's own cache executes every file in its
// directory. This cache authenticates each entry with an HMAC (RFC 2104). The key lies outside of
// the cache. A verified entry is copied to a private directory beside the key, where wazero reads
// it. An entry that fails verification is ignored, and the module is compiled again.
//
// Which modules are compiled, and how, is decided in package engine. A Cache may be used from
// several goroutines; several processes may share a directory.
package codecache

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
)

// Cache is an open cache. It may be used from several goroutines.
type Cache struct {
	dir, keyFile string
	key          []byte

	// Wazero is the cache to configure the runtime with.
	Wazero wazero.CompilationCache

	// privateDir is the directory that wazero reads from and writes to.
	privateDir string

	// versionDir is the directory in privateDir that wazero made for its version and this
	// processor.
	versionDir string

	// compileSlot is a semaphore of one, held while wazero compiles a module without an entry, so
	// that the new file is that module's.
	compileSlot chan struct{}

	// mu protects the fields below, and the files in versionDir.
	mu sync.Mutex
	// busy has a channel for each module in a call of Compile, closed when the call ends.
	busy map[string]chan struct{}
	// restored has the paths of the files that removeRestored will remove.
	restored map[string]bool
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
	removeStale(filepath.Dir(keyFile))
	if c.privateDir, err = os.MkdirTemp(filepath.Dir(keyFile), privatePrefix); err != nil {
		return nil, err
	}
	if c.Wazero, err = wazero.NewCompilationCacheWithDir(c.privateDir); err == nil {
		var files []fs.DirEntry
		if files, err = os.ReadDir(c.privateDir); err == nil && len(files) != 1 {
			err = errors.New("wazero does not make a directory for its version")
		}
		if err == nil {
			c.versionDir = files[0].Name()
			return c, nil
		}
	}
	os.RemoveAll(c.privateDir)
	return nil, err
}

// Paths returns the directory of the cache and that of its key. No guest may write to either.
func (c *Cache) Paths() (dir, keyDir string) { return c.dir, filepath.Dir(c.keyFile) }

// Close removes the private directory. The caller closes c.Wazero first.
func (c *Cache) Close() error { return os.RemoveAll(c.privateDir) }

// Compile calls compile, which has the runtime compile this module. Before, it restores the
// module's entry to wazero's directory if there is one. After, it stores a new entry if there was
// none. An entry that cannot be restored or stored changes no result: the next process compiles the
// module again.
//
// One module is compiled at a time. A module with an entry waits only for calls with the same
// module. The error is that of compile, or the cause of ctx if that ends before compile is called.
func (c *Cache) Compile(ctx context.Context, module []byte, compile func() error) error {
	name := fmt.Sprintf("%x", sha256.Sum256(module))
	if err := c.lockModule(ctx, name); err != nil {
		return err
	}
	defer c.unlockModule(name)
	if path, ok := c.restore(name); ok {
		defer c.removeRestored(path)
		return compile()
	}
	select {
	case c.compileSlot <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-c.compileSlot }()
	// Another process may have removed it as stale.
	os.MkdirAll(c.versionPath(), 0o700)
	err := compile()
	if file, code, ok := c.takeCompiled(); ok && err == nil {
		c.writeEntry(name, file, code)
	}
	return err
}

// lockModule waits until no other call compiles the same module. wazero publishes a module that it
// reads from a file before it has finished it, so that a second call would use half of it.
func (c *Cache) lockModule(ctx context.Context, name string) error {
	for {
		c.mu.Lock()
		done, busy := c.busy[name]
		if !busy {
			c.busy[name] = make(chan struct{})
		}
		c.mu.Unlock()
		if !busy {
			return nil
		}
		select {
		case <-done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (c *Cache) unlockModule(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.busy[name])
	delete(c.busy, name)
}

func (c *Cache) versionPath() string { return filepath.Join(c.privateDir, c.versionDir) }

// restore writes the code of a module's entry to wazero's directory. It reports false if there is
// no entry that verifies, or if the code cannot be written.
func (c *Cache) restore(name string) (path string, ok bool) {
	file, code, ok := c.readEntry(name)
	if !ok {
		return "", false
	}
	path = filepath.Join(c.versionPath(), file)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.restored[path] || os.MkdirAll(c.versionPath(), 0o700) != nil {
		return "", false
	}
	if err := os.WriteFile(path, code, 0o600); err != nil {
		os.Remove(path)
		return "", false
	}
	c.restored[path] = true
	return path, true
}

func (c *Cache) removeRestored(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	os.Remove(path)
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

// An entry is the MAC (macSize bytes), the length of wazero's file name (1 byte), the file name,
// and the contents of the file.
const macSize = sha256.Size

// entryMAC returns the MAC of an entry. It binds the entry to the module and to wazero's version:
// an authentic entry of another module does not verify.
func (c *Cache) entryMAC(name string, body []byte) []byte {
	h := hmac.New(sha256.New, c.key)
	fmt.Fprintf(h, "wasport compiled module\n%s\n%s\n", c.versionDir, name)
	h.Write(body)
	return h.Sum(nil)
}

// readEntry reads an entry. It reports false if there is none or if its MAC is wrong.
func (c *Cache) readEntry(name string) (file string, code []byte, ok bool) {
	entry, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil || len(entry) <= macSize {
		return "", nil, false
	}
	mac, body := entry[:macSize], entry[macSize:]
	if !hmac.Equal(mac, c.entryMAC(name, body)) {
		return "", nil, false
	}
	size := int(body[0])
	if 1+size > len(body) {
		return "", nil, false
	}
	file, code = string(body[1:1+size]), body[1+size:]
	return file, code, true
}

// writeEntry writes an entry to a temporary file and renames it, so that no process reads a part of
// it (rename(2)).
func (c *Cache) writeEntry(name, file string, code []byte) error {
	if _, err := hex.DecodeString(file); err != nil || len(file) > 255 {
		return fmt.Errorf("wazero has made a file of an unknown kind, %s", file)
	}
	body := append(append([]byte{byte(len(file))}, file...), code...)
	f, err := os.CreateTemp(c.dir, name+".*"+tempSuffix)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // Fails after the rename.
	_, err = f.Write(c.entryMAC(name, body))
	if err == nil {
		_, err = f.Write(body)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(c.dir, name))
	}
	return err
}

const (
	privatePrefix = "compiling-"

	// staleAfter is the age at which a private directory counts as left by a crash.
	staleAfter = 24 * time.Hour
)

// removeStale removes private directories that crashed processes have left.
func removeStale(keyDir string) {
	list, err := os.ReadDir(keyDir)
	if err != nil {
		return
	}
	for _, e := range list {
		info, err := e.Info()
		private := err == nil && info.IsDir() && strings.HasPrefix(e.Name(), privatePrefix)
		if private && time.Since(info.ModTime()) > staleAfter {
			os.RemoveAll(filepath.Join(keyDir, e.Name()))
		}
	}
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
