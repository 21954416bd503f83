package main

import (
	"context"
	"fmt"
	"os"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/bytesize"
)

// reserveVariable bounds the memory that a guest reserves before it needs it. An environment, such
// as that of an enclave, sets it for all commands.
const reserveVariable = "WASPORT_RESERVE_MEMORY"

// newRuntime makes a runtime that reserves as much memory as the environment says.
func newRuntime(ctx context.Context, rc wasport.RuntimeConfig) (*wasport.Runtime, error) {
	if text := os.Getenv(reserveVariable); text != "" {
		n, err := bytesize.Parse(text)
		if err != nil {
			return nil, &exitError{statusUsage, fmt.Errorf("the environment variable %s: %w",
				reserveVariable, err)}
		}
		rc.ReserveMemory = n
	}
	return wasport.NewRuntime(ctx, rc)
}
