//go:build unix && !linux

package hostfs

func newLister() lister {
	return &snapshot{}
}
