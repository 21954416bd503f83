//go:build unix && !linux

package kernel_test

import "github.com/wasport/wasport/network/networktest"

// lacks names the parts that other systems than Linux do not promise.
var lacks = []networktest.Feature{networktest.Reconnect, networktest.ShutdownRead,
	networktest.StateErrnos, networktest.StateEvents}
