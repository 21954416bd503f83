// Package bootstrap begins and ends the life of a shim: the actions start and delete, which
// containerd runs as programs, and the process that serves in between.
//
// The protocol is written by hand, since no version of containerd's own package for shims serves
// all of containerd 1.6 to 2.4. Protocols: containerd's docs/runtime-v2.md, and
// runtime/bootstrap/v1/bootstrap.proto of its API. Requests of the Task API are package task's
// matter.
package bootstrap

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/wasport/wasport/contrib/containerd/internal/native"
)

// Name is the name of the runtime in containerd's configuration.
const Name = "io.containerd.wasport.v1"

// Flags are the command line of a shim.
type Flags struct {
	Namespace, ID, Address, PublishBinary, Bundle string
	// Info and Version ask for a description and no action.
	Info, Version bool
	Action        string
}

// ParseFlags reads a command line without the program's name.
func ParseFlags(args []string) (*Flags, error) {
	f := &Flags{}
	set := flag.NewFlagSet("containerd-shim-wasport-v1", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&f.Namespace, "namespace", "", "containerd's namespace of the container")
	set.StringVar(&f.ID, "id", "", "the container")
	set.StringVar(&f.Address, "address", "", "containerd's socket")
	set.StringVar(&f.PublishBinary, "publish-binary", "containerd", "not used")
	set.StringVar(&f.Bundle, "bundle", "", "the container's directory")
	set.BoolVar(&f.Info, "info", false, "describe the runtime, as a message of protobuf")
	set.BoolVar(&f.Version, "v", false, "print the version")
	set.Bool("debug", false, "not used")
	set.String("socket", "", "not used")
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	f.Action = set.Arg(0)
	if f.Info || f.Version {
		return f, nil
	}
	switch {
	case f.Action == "":
		return nil, errors.New("containerd runs this program; by hand only -v is of use")
	case f.Namespace == "" || f.ID == "":
		return nil, errors.New("-namespace or -id is missing")
	case !plain(f.Namespace) || !plain(f.ID):
		return nil, fmt.Errorf("the namespace %q or the id %q is no plain name", f.Namespace, f.ID)
	}
	if f.Bundle == "" {
		var err error
		if f.Bundle, err = os.Getwd(); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// plain reports whether a name is one element of a path.
func plain(name string) bool {
	return name != "." && name != ".." && !strings.ContainsAny(name, "/\x00") &&
		filepath.Base(name) == name
}

// native returns the flags for another shim.
func (f *Flags) native() native.Flags {
	return native.Flags{Namespace: f.Namespace, ID: f.ID, Address: f.Address,
		PublishBinary: f.PublishBinary, Bundle: f.Bundle}
}
