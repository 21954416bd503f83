package kernel_test

import "github.com/wasport/wasport/network/networktest"

// lacks is empty: Linux is the reference of the suite.
var lacks []networktest.Feature
