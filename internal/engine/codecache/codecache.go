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

	// compileSlot is a semaphore of one, held while wazero compiles.
	compileSlot chan struct{}
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

// Paths returns the directory of the cache and that of its key. No guest may write to either.
func (c *Cache) Paths() (dir, keyDir string) { return c.dir, filepath.Dir(c.keyFile) }

// Close removes the private directory. The caller closes c.Wazero first.
func (c *Cache) Close() error { return os.RemoveAll(c.privateDir) }

// Compile calls compile, which has the runtime compile this module. Before, it restores the
// module's entry to wazero's directory if there is one. After, it stores a new entry if there was
// none. One module is compiled at a time; Compile returns the cause of ctx if that ends first.
func (c *Cache) Compile(ctx context.Context, module []byte, compile func() error) error {
	select {
	case c.compileSlot <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-c.compileSlot }()

	name := fmt.Sprintf("%x", sha256.Sum256(module))
	versionPath := filepath.Join(c.privateDir, c.versionDir)
	// Another process may have removed it as stale.
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
	f, err := os.CreateTemp(c.dir, name+".*.tmp")
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
