//go:build !linux

package memory

// slotsReusable is not set, since only Linux promises that pages read as zero after MADV_DONTNEED.
const slotsReusable = false

// zero makes accessible bytes zero.
func zero(b []byte) { clear(b) }
