//go:build !linux

package sched

// threadClocks has no readings. Windows counts the time of threads in steps of 15.6 ms, and macOS
// reports it only through its C library. On these systems a thread is charged the time that passes
// by package monotonic while it neither waits nor lets others run.
type threadClocks struct{}

func (*threadClocks) read() (ns int64, last, now reading) { return 0, 0, 0 }

// processTime returns 0: the processor time of the process is not known, or only in long steps.
func processTime() int64 { return 0 }
