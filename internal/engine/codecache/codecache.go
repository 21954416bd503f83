// Package codecache keeps the machine code that wazero compiles modules to, for the next process.
//
// What is in such a cache is executed, outside of any sandbox. Wazero's own cache executes
// whatever lies in its directory. This one holds entries that are authenticated with a key of the
// user's, which lies elsewhere; wazero gets to see an entry only once it has been verified, in a
// private directory beside the key. An entry that somebody has changed, or made, is compiled
// anew.
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
	"time"

	"github.com/tetratelabs/wazero"
)

// Cache is an open cache. It may be used from several goroutines.
type Cache struct {
	dir, keyFile string
	key          []byte

	// Wazero is to be given to the runtime that compiles.
	Wazero wazero.CompilationCache

	privateDir string // where wazero reads and writes
	// the directory in there that wazero made for its version and this processor
	versionDir  string
	compileSlot chan struct{} // held while wazero compiles
}

// Open opens the cache in a directory, and makes what is missing of it and of the file with the
// key.
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
	c := &Cache{dir: dir, keyFile: keyFile, key: key, compileSlot: make(chan struct{}, 1)}
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

// Paths are what a guest must not be able to write to: the directory of the cache, and that of
// its key.
func (c *Cache) Paths() (dir, keyDir string) { return c.dir, filepath.Dir(c.keyFile) }

// Close releases what Open took. The cache of wazero's has to be closed before.
func (c *Cache) Close() error { return os.RemoveAll(c.privateDir) }

// Compile calls compile, which has the runtime compile this module, with its entry at hand if
// there is one, and keeps what has been compiled if not. One module is compiled at a time.
func (c *Cache) Compile(ctx context.Context, module []byte, compile func() error) error {
	select {
	case c.compileSlot <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-c.compileSlot }()

	name := fmt.Sprintf("%x", sha256.Sum256(module))
	versionPath := filepath.Join(c.privateDir, c.versionDir)
	// another process may take it for a stale one
	if err := os.MkdirAll(versionPath, 0o700); err != nil {
		return err
	}
	restored := ""
	if file, code, ok := c.readEntry(name); ok {
		restored = filepath.Join(versionPath, file)
		if err := os.WriteFile(restored, code, 0o600); err != nil {
			return err
		}
		defer os.Remove(restored)
	}
	if err := compile(); err != nil {
		return err
	}
	files, err := os.ReadDir(versionPath)
	if err != nil {
		return err
	}
	for _, e := range files {
		path := filepath.Join(versionPath, e.Name())
		if path == restored || strings.HasSuffix(e.Name(), ".tmp") {
			continue
		}
		code, err := os.ReadFile(path)
		if err == nil {
			err = c.writeEntry(name, e.Name(), code)
		}
		os.Remove(path)
		if err != nil {
			return err
		}
	}
	return nil
}

// An entry is its MAC, the length of the name that wazero gave the file, the name, and the
// contents.
const macSize = sha256.Size

// entryMAC authenticates an entry, for the module and the version of wazero that it was made for.
func (c *Cache) entryMAC(name string, body []byte) []byte {
	h := hmac.New(sha256.New, c.key)
	fmt.Fprintf(h, "wasport compiled module\n%s\n%s\n", c.versionDir, name)
	h.Write(body)
	return h.Sum(nil)
}

// readEntry reads an entry. It is false if there is none, or none that can be trusted.
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

func (c *Cache) writeEntry(name, file string, code []byte) error {
	if _, err := hex.DecodeString(file); err != nil || len(file) > 255 {
		return fmt.Errorf("wazero has made a file of an unknown kind, %s", file)
	}
	body := append(append([]byte{byte(len(file))}, file...), code...)
	f, err := os.CreateTemp(c.dir, name+".*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // which fails once it is renamed
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

	// staleAfter is after how long a private directory is taken for one that a crash has left.
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

// isWithin reports whether a path lies in a directory.
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
