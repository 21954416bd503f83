//go:build unix && !linux

package hostfs

func (nowait) disable() {}
