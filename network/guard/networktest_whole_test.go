//go:build windows || linux

package guard_test

import "github.com/wasport/wasport/network/networktest"

// lacks names the part that the guard does not have above Linux, the reference of the suite, or
// Windows.
var lacks = []networktest.Feature{networktest.OwnAddresses}
