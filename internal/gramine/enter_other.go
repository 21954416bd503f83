//go:build !linux || !amd64

package gramine

import (
	"fmt"
	"os"
)

// Enter ends the process if Variable asks for a filter, which only Linux on amd64 has.
func Enter() {
	if os.Getenv(Variable) != "" {
		fmt.Fprintf(os.Stderr, "%s: the filter is one for linux/amd64\n", Variable)
		os.Exit(2)
	}
}
