package system

// Lacks tells which things a guest looked for and did not have, so that the host can say after the
// guest's failure which configuration would have helped.
type Lacks struct {
	// Socket is true if a call named the descriptor of the first of Config.Listeners, while there
	// are none and no descriptor ever had that number.
	Socket bool

	// Directory is true if a call took a path while there are no Preopens.
	Directory bool

	// Preopens is true if fd_prestat_get asked about descriptor 3 while there are no Preopens.
	// wasi-libc asks at its start or before the first path. It then refuses every path itself, so
	// Directory stays false.
	Preopens bool
}

const (
	lacksSocket = 1 << iota
	lacksDirectory
	lacksPreopens
)

// Lacks returns the things that were lacking so far.
func (g *Guest) Lacks() Lacks {
	l := g.lacks.Load()
	return Lacks{
		Socket: l&lacksSocket != 0, Directory: l&lacksDirectory != 0,
		Preopens: l&lacksPreopens != 0,
	}
}

// NotePathFailed notes that a call with a path failed on its descriptor.
func (g *Guest) NotePathFailed() {
	if len(g.preopens) == 0 {
		g.lacks.Or(lacksDirectory)
	}
}

// NoteNotPreopen notes that a call asked for a preopened directory, and the descriptor is none.
func (g *Guest) NoteNotPreopen(fd int32) {
	if len(g.preopens) == 0 && fd == firstPreopen {
		g.lacks.Or(lacksPreopens)
	}
}

// NoteNoPreopens notes that a component asked for the preopened directories, and there are none.
func (g *Guest) NoteNoPreopens() { g.NoteNotPreopen(firstPreopen) }

// NoteBadFD notes that a call named a descriptor that is not open.
func (g *Guest) NoteBadFD(fd int32) {
	if g.listeners || int(fd) != firstPreopen+len(g.preopens) {
		return
	}
	g.table.mu.Lock()
	never := int(fd) >= g.table.used
	g.table.mu.Unlock()
	if never {
		g.lacks.Or(lacksSocket)
	}
}

// firstPreopen is the descriptor after the standard streams.
const firstPreopen = 3
