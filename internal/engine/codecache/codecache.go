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

	private string // where wazero reads and writes
	// the directory in there that wazero made for its version and this processor
	version string
	turn    chan struct{} // held while wazero compiles
}

// Open opens the cache in a directory, and makes what is missing of it and of the file with the
// key.
func Open(dir, keyFile string) (*Cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if within(keyFile, dir) {
		return nil, fmt.Errorf("its key, %s, must not lie in the cache itself", keyFile)
	}
	key, err := readKey(keyFile)
	if err != nil {
		return nil, fmt.Errorf("its key: %w", err)
	}
	c := &Cache{dir: dir, keyFile: keyFile, key: key, turn: make(chan struct{}, 1)}
	removeStale(filepath.Dir(keyFile))
	if c.private, err = os.MkdirTemp(filepath.Dir(keyFile), privatePrefix); err != nil {
		return nil, err
	}
	if c.Wazero, err = wazero.NewCompilationCacheWithDir(c.private); err == nil {
		var made []fs.DirEntry
		if made, err = os.ReadDir(c.private); err == nil && len(made) != 1 {
			err = errors.New("wazero does not make a directory for its version")
		}
		if err == nil {
			c.version = made[0].Name()
			return c, nil
		}
	}
	os.RemoveAll(c.private)
	return nil, err
}

// Paths are what a guest must not be able to write to: the directory of the cache, and that of
// its key.
func (c *Cache) Paths() (dir, keyDir string) { return c.dir, filepath.Dir(c.keyFile) }

// Close releases what Open took. The cache of wazero's has to be closed before.
func (c *Cache) Close() error { return os.RemoveAll(c.private) }

// Compile calls compile, which has the runtime compile this module, with its entry at hand if
// there is one, and keeps what has been compiled if not. One module is compiled at a time.
func (c *Cache) Compile(ctx context.Context, module []byte, compile func() error) error {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-c.turn }()

	name := fmt.Sprintf("%x", sha256.Sum256(module))
	private := filepath.Join(c.private, c.version)
	// another process may take it for a stale one
	if err := os.MkdirAll(private, 0o700); err != nil {
		return err
	}
	restored := ""
	if file, code, ok := c.read(name); ok {
		restored = filepath.Join(private, file)
		if err := os.WriteFile(restored, code, 0o600); err != nil {
			return err
		}
		defer os.Remove(restored)
	}
	if err := compile(); err != nil {
		return err
	}
	made, err := os.ReadDir(private)
	if err != nil {
		return err
	}
	for _, e := range made {
		path := filepath.Join(private, e.Name())
		if path == restored || strings.HasSuffix(e.Name(), ".tmp") {
			continue
		}
		code, err := os.ReadFile(path)
		if err == nil {
			err = c.write(name, e.Name(), code)
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

// mac authenticates an entry, for the module and the version of wazero that it was made for.
func (c *Cache) mac(name string, rest []byte) []byte {
	h := hmac.New(sha256.New, c.key)
	fmt.Fprintf(h, "wasport compiled module\n%s\n%s\n", c.version, name)
	h.Write(rest)
	return h.Sum(nil)
}

// read reads an entry. It is false if there is none, or none that can be trusted.
func (c *Cache) read(name string) (file string, code []byte, ok bool) {
	entry, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil || len(entry) <= macSize {
		return "", nil, false
	}
	mac, rest := entry[:macSize], entry[macSize:]
	if !hmac.Equal(mac, c.mac(name, rest)) {
		return "", nil, false
	}
	size := int(rest[0])
	if 1+size > len(rest) {
		return "", nil, false
	}
	file, code = string(rest[1:1+size]), rest[1+size:]
	return file, code, true
}

func (c *Cache) write(name, file string, code []byte) error {
	if _, err := hex.DecodeString(file); err != nil || len(file) > 255 {
		return fmt.Errorf("wazero has made a file of an unknown kind, %s", file)
	}
	rest := append(append([]byte{byte(len(file))}, file...), code...)
	f, err := os.CreateTemp(c.dir, name+".*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // which fails once it is renamed
	_, err = f.Write(c.mac(name, rest))
	if err == nil {
		_, err = f.Write(rest)
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(c.dir, name))
	}
	return err
}

const (
	privatePrefix = "compiling-"

	// stale is after how long a private directory is taken for one that a crash has left.
	stale = 24 * time.Hour
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
		if private && time.Since(info.ModTime()) > stale {
			os.RemoveAll(filepath.Join(keyDir, e.Name()))
		}
	}
}

// within reports whether a path lies in a directory.
func within(path, dir string) bool {
	at, err := os.Stat(dir)
	if err != nil {
		return false
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	for up := filepath.Dir(abs); ; up = filepath.Dir(up) {
		if info, err := os.Stat(up); err == nil && os.SameFile(info, at) {
			return true
		}
		if up == filepath.Dir(up) {
			return false
		}
	}
}
