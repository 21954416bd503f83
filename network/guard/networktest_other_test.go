//go:build unix && !linux

package guard_test

import "github.com/wasport/wasport/network/networktest"

// lacks adds the parts that other systems than Linux do not promise.
var lacks = []networktest.Feature{networktest.OwnAddresses, networktest.Reconnect,
	networktest.ShutdownRead, networktest.StateErrnos, networktest.StateEvents}
