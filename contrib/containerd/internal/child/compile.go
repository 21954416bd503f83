package child

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/wasport/wasport"
)

// Names in the directory of the cache.
const (
	modulesDir = "modules"
	keyFile    = "cache.key"
	// privateDirs has a directory for each container with a module that is being compiled.
	privateDirs = "private"
)

// stale is the age of a private directory that a killed process has left.
const stale = time.Hour

// compile compiles the module, or takes it from the cache, which keeps at most cacheSize bytes. A
// cache that fails is left out.
func compile(ctx context.Context, cacheDir string, cacheSize uint64, wasm []byte) (
	*wasport.Module, error) {
	if cacheDir != "" {
		private, err := makePrivate(cacheDir)
		if err == nil {
			// Nothing in it is of use once the module is compiled. After Pivot it is out of reach.
			defer os.RemoveAll(private)
			if rt, err := openCache(ctx, cacheDir, private); err == nil {
				m, err := rt.Compile(ctx, wasm, wasport.CompileConfig{})
				if err == nil {
					trim(filepath.Join(cacheDir, modulesDir), cacheSize)
					return m, nil
				}
				rt.Close(ctx)
			}
		}
	}
	rt, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{})
	if err != nil {
		return nil, err
	}
	return rt.Compile(ctx, wasm, wasport.CompileConfig{})
}

// makePrivate makes a directory for this process, with the key of the cache if there is one. A
// runtime keeps verified copies of machine code beside its key.
func makePrivate(cacheDir string) (string, error) {
	all := filepath.Join(cacheDir, privateDirs)
	if err := os.MkdirAll(all, 0o700); err != nil {
		return "", err
	}
	removeStale(all)
	private, err := os.MkdirTemp(all, "")
	if err != nil {
		return "", err
	}
	err = os.Link(filepath.Join(cacheDir, keyFile), filepath.Join(private, keyFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		os.RemoveAll(private)
		return "", err
	}
	return private, nil
}

// openCache makes a runtime with the cache. The first one makes the key, which others then share.
// Entries of a second key that was made at the same time are compiled again.
func openCache(ctx context.Context, cacheDir, private string) (*wasport.Runtime, error) {
	key := filepath.Join(private, keyFile)
	rt, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{
		CacheDir: filepath.Join(cacheDir, modulesDir), CacheKeyFile: key})
	if err != nil {
		return nil, err
	}
	err = os.Link(key, filepath.Join(cacheDir, keyFile))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return rt, nil
}

// removeStale removes the directories of processes that were killed.
func removeStale(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > stale {
			os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}

// trim keeps the newest files of a directory that take at most some bytes together. Without it pods
// with ever new modules would fill the node's disk. A removed module is compiled again.
func trim(dir string, most uint64) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	var files []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			files = append(files, info)
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	total := uint64(0)
	for _, f := range files {
		if total += uint64(f.Size()); total > most {
			os.Remove(filepath.Join(dir, f.Name()))
		}
	}
}
