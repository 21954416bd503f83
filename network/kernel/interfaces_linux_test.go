package kernel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
)

func TestHostAddrsWithoutNetlink(t *testing.T) {
	lacking := &net.OpError{Op: "route", Net: "ip+net",
		Err: os.NewSyscallError("netlinkrib", syscall.EAFNOSUPPORT)}
	list, err := hostAddrsWithout(lacking)
	if err != nil || len(list) == 0 || list[0].Prefix.Addr() != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("got %v, %v; want loopback first", list, err)
	}
	for _, a := range list {
		if !ownsByBind(a.Prefix.Addr()) {
			t.Errorf("listed %v, which no socket can be bound to", a)
		}
	}
	if list, err := hostAddrsWithout(syscall.ENOBUFS); !errors.Is(err, syscall.ENOBUFS) {
		t.Errorf("another failure: got %v, %v; want ENOBUFS", list, err)
	}
	for text, want := range map[string]bool{"127.0.0.1": true, "127.9.9.9": true,
		"198.51.100.1": false, "0.0.0.0": false, "255.255.255.255": false, "224.0.0.1": false,
		"::": false, "2001:db8::1": false, "ff02::1": false} {
		for _, c := range []struct {
			err  error
			want bool
		}{{lacking, want}, {syscall.ENOBUFS, false}} {
			t.Run(fmt.Sprint(text, "/", c.err), func(t *testing.T) {
				if got := ownsWithout(c.err, netip.MustParseAddr(text)); got != c.want {
					t.Errorf("got %t, want %t", got, c.want)
				}
			})
		}
	}
}
