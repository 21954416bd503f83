package kernel

import (
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/wasport/wasport/network"
)

func sysSetMembership4(fd descriptor, join bool, group [4]byte, on network.Interface) error {
	name := windows.IP_DROP_MEMBERSHIP
	if join {
		name = windows.IP_ADD_MEMBERSHIP
	}
	m := windows.IPMreq{Multiaddr: group}
	switch {
	case on.Addr.Is4():
		m.Interface = on.Addr.As4()
	case on.Index != 0:
		a, err := interfaceIPv4(on.Index)
		if err != nil {
			return err
		}
		m.Interface = a.As4()
	}
	return membershipErrno(join, windows.SetsockoptIPMreq(fd, windows.IPPROTO_IP, name, &m))
}

func sysSetMembership6(fd descriptor, join bool, group [16]byte, index uint32) error {
	name := windows.IPV6_LEAVE_GROUP
	if join {
		name = windows.IPV6_JOIN_GROUP
	}
	// The package's SetsockoptIPv6Mreq is a stub.
	m := windows.IPv6Mreq{Multiaddr: group, Interface: index}
	err := windows.Setsockopt(fd, windows.IPPROTO_IPV6, int32(name), (*byte)(unsafe.Pointer(&m)),
		int32(unsafe.Sizeof(m)))
	if err != nil && join && index != 0 && !interfaceExists(index) {
		return syscall.ENODEV
	}
	return membershipErrno(join, err)
}

// membershipErrno converts WSAEINVAL and WSAEADDRNOTAVAIL to the errnos of Linux. The caller has
// checked that the group is a multicast address.
func membershipErrno(join bool, err error) error {
	err = posix(err)
	switch {
	case err == syscall.EINVAL && join:
		return syscall.EADDRINUSE
	case err == syscall.EINVAL:
		return syscall.EADDRNOTAVAIL
	case err == syscall.EADDRNOTAVAIL && join:
		return syscall.ENODEV
	}
	return err
}

// joinedGroupsOnly does nothing: on Windows a socket receives only from groups that it joined.
func joinedGroupsOnly(descriptor, network.Family) {}

func interfaceExists(index uint32) bool {
	list, err := listHostAddrs()
	return err != nil || slices.ContainsFunc(list, func(a network.HostAddr) bool {
		return a.Index == index
	})
}
