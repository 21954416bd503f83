package hostfs

// disable makes reads and writes take the path of a kernel without RWF_NOWAIT.
func (w *nowait) disable() {
	w.unsupported.Store(true)
}
