//go:build !linux || portable

package sched

// canYield is false: other systems have the call in a library, of which Go's scheduler must know.
const canYield = false

func yieldProcessor() {}
