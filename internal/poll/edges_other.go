//go:build !linux || portable

package poll

import "github.com/wasport/wasport/network"

// Edges does not exist on this system: NewEdges returns nil, and no method is called.
type Edges struct{}

// Edge is a registration.
type Edge struct{}

// NewEdges returns nil.
func NewEdges() (*Edges, error) { return nil, nil }

// Add, Change, Remove, Collect, Signal and Close are those of Linux.
func (*Edges) Add(network.Pollable, network.Events, func()) (*Edge, error) { return nil, nil }
func (*Edges) Change(*Edge, network.Events) error                          { return nil }
func (*Edges) Remove(*Edge)                                                {}
func (*Edges) Collect()                                                    {}
func (*Edges) Signal()                                                     {}
func (*Edges) Close()                                                      {}

// Readiness is that of Linux, too.
func (*Edges) Readiness() network.Readiness { return network.Readiness{} }
