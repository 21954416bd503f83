package rootfs

import (
	"os"
	"path/filepath"
)

// The files of the resolver (resolv.conf(5), hosts(5)).
const (
	resolvConf = "/etc/resolv.conf"
	hosts      = "/etc/hosts"
)

// maxNetwork bounds a file of the resolver, in bytes.
const maxNetwork = 1 << 20

// readNetwork keeps the text of a mount that is a file of the resolver, and reports whether it is
// one. A text that is no regular file or too large is taken as empty, as is one without a mount: an
// empty resolv.conf is the server at 127.0.0.1 (resolv.conf(5)).
func (t *Tree) readNetwork(mount *os.File, destination string) bool {
	name := filepath.Clean("/" + destination)
	if _, ok := t.network[name]; !ok {
		return false
	}
	text, err := readRegular(mount, name, maxNetwork)
	if err != nil {
		text = nil
	}
	t.network[name] = text
	return true
}

// writeNetwork writes the files of the resolver into the process's own root.
func (t *Tree) writeNetwork() error {
	for name, text := range t.network {
		if err := os.WriteFile(t.staging+name, text, 0o444); err != nil {
			return err
		}
	}
	return nil
}

// Resolver returns the text of the container's resolv.conf(5).
func (t *Tree) Resolver() string { return string(t.network[resolvConf]) }
