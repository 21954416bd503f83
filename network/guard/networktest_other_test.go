//go:build !linux || portable

package guard_test

import "github.com/wasport/wasport/network/networktest"

// lacks adds what other systems do otherwise than Linux, and do not promise.
var lacks = []networktest.Feature{networktest.OwnAddresses, networktest.Reconnect,
	networktest.ShutdownRead, networktest.StateErrnos, networktest.StateEvents}
