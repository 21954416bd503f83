package guard_test

import "github.com/wasport/wasport/network/networktest"

// lacks adds what Windows has no call for: a listener that is open and refuses.
var lacks = []networktest.Feature{networktest.OwnAddresses, networktest.ShutdownRefuses}
