package hostfs

// disable makes a file be read as on a kernel that cannot try.
func (b *blocking) disable() {
	b.cannot.Store(true)
}
