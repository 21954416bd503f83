//go:build unix && !linux

package bench

import "testing"

func runSpinner() bool { return false }

// keepAwake and useOneCPU need Linux.
func keepAwake(testing.TB) func() { return func() {} }
func useOneCPU(testing.TB) func() { return func() {} }

func busyTime(testing.TB) (busy, all float64) { return 0, 1 }

func processMemory() (resident, tables float64) { return 0, 0 }
