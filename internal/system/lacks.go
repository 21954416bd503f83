package system

// Lacks are what a guest looked for and was not given. A host that reads them after the guest's
// failure can say what would have helped.
type Lacks struct {
	// Socket: a call named the descriptor at which the first of Listeners would be. There is none,
	// and the guest had opened nothing in its place.
	Socket bool

	// Directory: a path was used. There are no Preopens.
	Directory bool

	// Preopens: it was asked whether descriptor 3 is a directory, and there are no Preopens. C
	// libraries ask at their start, or before the first path, and then fail by themselves.
	Preopens bool
}

const (
	lacksSocket = 1 << iota
	lacksDirectory
	lacksPreopens
)

// Lacks returns what was lacking so far.
func (g *Guest) Lacks() Lacks {
	l := g.lacks.Load()
	return Lacks{
		Socket: l&lacksSocket != 0, Directory: l&lacksDirectory != 0,
		Preopens: l&lacksPreopens != 0,
	}
}

// NotePathFailed notes that a call which takes a path failed for its descriptor.
func (g *Guest) NotePathFailed() {
	if g.preopens == 0 {
		g.lacks.Or(lacksDirectory)
	}
}

// NoteNotPreopen notes that a descriptor is no directory which the guest found open.
func (g *Guest) NoteNotPreopen(fd int32) {
	if g.preopens == 0 && fd == firstPreopen {
		g.lacks.Or(lacksPreopens)
	}
}

// NoteBadFD notes that a descriptor is not open.
func (g *Guest) NoteBadFD(fd int32) {
	if g.listeners || fd != firstPreopen+g.preopens {
		return
	}
	g.table.mu.RLock()
	never := int(fd) >= len(g.table.slots)
	g.table.mu.RUnlock()
	if never {
		g.lacks.Or(lacksSocket)
	}
}

// firstPreopen is the descriptor after the standard streams.
const firstPreopen = 3
