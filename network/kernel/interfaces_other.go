//go:build !linux

package kernel

import (
	"net/netip"

	"github.com/wasport/wasport/network"
)

// hostAddrsWithout returns err: these systems always list their addresses.
func hostAddrsWithout(err error) ([]network.HostAddr, error) { return nil, err }

func ownsWithout(error, netip.Addr) bool { return false }
