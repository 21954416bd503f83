package wasport

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// forGo is the configuration as Go's runtime needs it.
//
// Go's poller waits for all descriptors in one place, and takes the mode of a socket as it finds
// it: accept on a blocking listener would hold up every goroutine.
//
// Go joins each relative path with the working directory, which is PWD or else the name of the
// first directory, and looks for a directory whose name is a prefix of the result
// (syscall/fs_wasip1.go). A name such as "." or "./data" is a prefix of nothing. So relative names
// become absolute ones beneath PWD, which is / if it is not set.
func (c *Config) forGo() *Config {
	adapted := *c
	adapted.NonblockingSockets = true
	isPWD := func(v string) bool { return strings.HasPrefix(v, "PWD=") }
	cwd, set := "/", false
	if i := slices.IndexFunc(c.Env, isPWD); i >= 0 && c.Env[i] != "PWD=" {
		cwd, set = strings.TrimPrefix(c.Env[i], "PWD="), true
	}
	adapted.Dirs = slices.Clone(c.Dirs)
	relative := false
	for i := range adapted.Dirs {
		d := &adapted.Dirs[i]
		name := d.Guest
		if name == "" {
			name = d.Host
		}
		if path.IsAbs(name) || filepath.IsAbs(name) {
			continue
		}
		d.Guest, relative = path.Join(cwd, filepath.ToSlash(name)), true
	}
	if relative && !set {
		adapted.Env = append(slices.DeleteFunc(slices.Clone(c.Env), isPWD), "PWD="+cwd)
	}
	return &adapted
}
