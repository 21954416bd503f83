// Package node reads the node's configuration and puts a guest's policy together.
//
// The operator of the node writes the file, and no pod can loosen its ceiling; the author of a pod
// writes its policy, which is untrusted. Belongs here: both texts and their combination. Does
// not: where a pod's text is found (package child).
package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"

	"github.com/wasport/wasport/internal/bytesize"
)

// DefaultFile is the configuration of a node; PathVariable names another file.
const (
	DefaultFile  = "/etc/wasport/containerd.toml"
	PathVariable = "WASPORT_CONTAINERD_CONFIG"
)

// Size is a number of bytes, written as "64MiB".
type Size uint64

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) error {
	n, err := bytesize.Parse(string(text))
	*s = Size(n)
	return err
}

// Config is the configuration of a node. The zero value sets no ceiling and has no cache.
type Config struct {
	// Ceiling bounds the policies of the guests of the node, in the language of policy files; or
	// CeilingFile names a file with it. Without either, Ceiling is nil and a pod's policy alone
	// holds. An empty text allows nothing.
	Ceiling     *string `toml:"ceiling"`
	CeilingFile string  `toml:"ceiling_file"`

	// DefaultPolicy, or the file DefaultPolicyFile, is for a guest without a policy in its pod.
	// Without it such a guest may use no network.
	DefaultPolicy     *string `toml:"default_policy"`
	DefaultPolicyFile string  `toml:"default_policy_file"`

	// Ranges names ranges of addresses, such as those of the cluster's services. In a policy @NAME
	// stands for all of them.
	Ranges map[string][]netip.Prefix `toml:"ranges"`

	// CacheDir keeps compiled modules and the key that authenticates them; empty = none.
	CacheDir string `toml:"cache_dir"`

	// CacheSize bounds the compiled modules of the cache together. The oldest are removed.
	CacheSize Size `toml:"cache_size"`

	// RuncShim is the shim for containers that are no WebAssembly.
	RuncShim string `toml:"runc_shim"`

	// RefuseNative refuses containers that are no WebAssembly, except the pause container of a pod.
	RefuseNative bool `toml:"refuse_native"`

	// Limits holds for each guest.
	Limits Limits `toml:"limits"`
}

// Limits are limits of a guest that its specification cannot have or does not have; 0 is
// wasport's own limit.
type Limits struct {
	// Memory is for a container without a limit of memory.
	Memory Size `toml:"memory"`
	// SocketMemory bounds the queues of a guest's sockets.
	SocketMemory Size `toml:"socket_memory"`
	Threads      int  `toml:"threads"`
	Descriptors  int  `toml:"descriptors"`
}

// defaults are the values of keys that the file does not set.
func defaults() *Config {
	return &Config{CacheDir: "/var/cache/wasport", CacheSize: 4 << 30,
		RuncShim: "containerd-shim-runc-v2"}
}

// Load reads the configuration. The file may be missing, unless PathVariable names it.
func Load() (*Config, error) {
	file := os.Getenv(PathVariable)
	named := file != ""
	if !named {
		file = DefaultFile
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return defaults(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("configuration of the node: %w", err)
	}
	c, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("configuration of the node, %s: %w", file, err)
	}
	return c, nil
}

// Parse reads the text of a configuration, and the files that it names.
func Parse(text []byte) (*Config, error) {
	c := defaults()
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(c)
	var unknown *toml.StrictMissingError
	switch {
	case errors.As(err, &unknown):
		return nil, fmt.Errorf("unknown keys:\n%s", unknown.String())
	case err != nil:
		return nil, err
	case c.CacheDir != "" && !filepath.IsAbs(c.CacheDir):
		return nil, fmt.Errorf("cache_dir = %q is no absolute path", c.CacheDir)
	case c.Limits.Threads < 0 || c.Limits.Descriptors < 0:
		return nil, errors.New("a limit is negative; leave it out for wasport's own")
	}
	for name := range c.Ranges {
		if at := "@" + name; rangeName.FindString(at) != at {
			return nil, fmt.Errorf("the range %q: a name has letters, digits, - and _", name)
		}
	}
	if err := readInto(&c.Ceiling, "ceiling", c.CeilingFile); err != nil {
		return nil, err
	}
	return c, readInto(&c.DefaultPolicy, "default_policy", c.DefaultPolicyFile)
}

// readInto makes a file's text the value of a key, unless the file is not named.
func readInto(value **string, key, file string) error {
	if file == "" {
		return nil
	}
	if *value != nil {
		return fmt.Errorf("%s and %s_file are both set; leave one of them out", key, key)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("%s_file: %w", key, err)
	}
	text := string(b)
	*value = &text
	return nil
}
