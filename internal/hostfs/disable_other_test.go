//go:build unix && !linux

package hostfs

func (blocking) disable() {}
