package child

import (
	"encoding/json"

	"github.com/wasport/wasport/contrib/containerd/internal/rootfs"
)

// Command is the name, in place of the program's, under which the shim starts a child.
const Command = "wasport-guest"

// ControlFD is the child's end of the pair of sockets that it has in common with the shim. On it,
// in JSON: the shim's Request, the child's Reply, and the shim's Go. Before its Reply, the child
// may say once that the container's files lack the module, and gets it as Parts. The child ends
// when the shim closes the socket, or is killed.
const ControlFD = 3

// Request describes the container to a child.
type Request struct {
	// Bundle is the path of the container's bundle.
	Bundle string
	// Mounts make the container's root.
	Mounts []rootfs.Mount
	// NewNetwork is true if the network namespace has been made for this container alone.
	NewNetwork bool
}

// Reply says that everything is ready to start, or has an error, or says that a module with this
// name is missing.
type Reply struct{ Error, Missing string }

// Part is a part of a module, for a container without one in its files; an empty one is the end.
// The module gets no file on the host, where no limit of the container would count its size.
type Part struct{ Data []byte }

// ReadParts reads a module from the shim, which bounds its size.
func ReadParts(in *json.Decoder) ([]byte, error) {
	var module []byte
	for {
		var part Part
		if err := in.Decode(&part); err != nil || len(part.Data) == 0 {
			return module, err
		}
		module = append(module, part.Data...)
	}
}

// Go lets the guest start.
type Go struct{}
