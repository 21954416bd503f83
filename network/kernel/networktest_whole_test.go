//go:build windows || linux

package kernel_test

import "github.com/wasport/wasport/network/networktest"

// lacks is empty: Linux is the reference of the suite, and Windows has all of it.
var lacks []networktest.Feature
