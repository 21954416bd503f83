package child

import "github.com/wasport/wasport/contrib/containerd/internal/rootfs"

// Command is the name, in place of the program's, under which the shim starts a child.
const Command = "wasport-guest"

// ControlFD is the child's end of the pair of sockets that it has in common with the shim. On it,
// in JSON: the shim's Request, the child's Reply, and the shim's Go. The child ends when the shim
// closes it, or is killed.
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

// Reply says that everything is ready to start, or has an error.
type Reply struct{ Error string }

// Go lets the guest start.
type Go struct{}
