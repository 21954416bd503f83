package canon

import "fmt"

// Trap is the error of a component that broke a rule of the canonical ABI or of a host function. It
// ends the guest: nothing of it is called again.
type Trap struct {
	Reason string
}

// Error returns the reason.
func (t *Trap) Error() string { return t.Reason }

// Trapf makes a Trap.
func Trapf(format string, args ...any) error {
	return &Trap{Reason: fmt.Sprintf(format, args...)}
}
