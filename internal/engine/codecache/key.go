package codecache

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// keySize is the size of a SHA-256 hash, in bytes. A longer key adds little to the strength of its
// HMAC (RFC 2104, section 3).
const keySize = 32

// DefaultKeyFile returns the path of the user's key, in os.UserConfigDir.
func DefaultKeyFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "wasport", "cache.key"), nil
}

// readKey reads the key, and creates it if there is none. It refuses a key that another user may
// have read or chosen.
func readKey(path string) ([]byte, error) {
	f, err := openKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := createKey(path); err != nil {
			return nil, err
		}
		f, err = openKey(path)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if exposure := keyExposure(info); exposure != "" {
		return nil, fmt.Errorf("%s %s; remove it, and a new one is made", path, exposure)
	}
	key, err := io.ReadAll(io.LimitReader(f, keySize+1))
	if err == nil && len(key) != keySize {
		err = fmt.Errorf("%s has not the size of a key; remove it, and a new one is made", path)
	}
	return key, err
}

// createKey creates a key. If several processes do so at once, publish succeeds in one of them, and
// the others use that key.
func createKey(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "key-") // Its mode is 0600.
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // Fails after a rename.
	key := make([]byte, keySize)
	rand.Read(key)
	_, err = f.Write(key)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := publish(f.Name(), path); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
