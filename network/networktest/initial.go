package networktest

import "github.com/wasport/wasport/network"

// initialElsewhere has the initial values that sockets of other systems have in place of Linux's,
// by the name of the system (GOOS). An option that a system lacks begins with Linux's value. So
// does every option without a name here.
//
// Windows: IP_TTL and IPV6_UNICAST_HOPS (DefaultTTL), and the interval and the number of probes of
// Microsoft's reference of SIO_KEEPALIVE_VALS. macOS and the BSDs: TCPTV_KEEPCNT in
// netinet/tcp_timer.h.
var initialElsewhere = map[string]map[network.Option]int64{
	"windows": {network.TTL: 128, network.HopLimit: 128, network.KeepInterval: 1,
		network.KeepCount: 10},
	"darwin":    {network.KeepCount: 8},
	"dragonfly": {network.KeepCount: 8},
	"freebsd":   {network.KeepCount: 8},
	"netbsd":    {network.KeepCount: 8},
}

// initial returns the value that an option has in a new socket on the system of Options.System.
func (e env) initial(o network.Option, onLinux int64) int64 {
	if v, ok := initialElsewhere[e.options.System][o]; ok {
		return v
	}
	return onLinux
}
