package child

import "github.com/wasport/wasport/contrib/containerd/internal/rootfs"

// Command is the name, in place of the program's, under which the shim starts a child.
const Command = "wasport-guest"

// ControlFD is the child's end of the pair of sockets that it has in common with the shim. On it,
// in JSON: the shim's Request, the child's Reply, and the shim's Go. Before its Reply, the child
// may say once that the container's files lack the module, and gets a Module. The child ends when
// the shim closes the socket, or is killed.
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

// Module is the path of a module on the host, for a container without one in its files.
type Module struct{ File string }

// Go lets the guest start.
type Go struct{}
