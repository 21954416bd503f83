package kernel

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/wasport/wasport/network"
)

// adapterFlags leave out fields that nothing here reads. Routes, which package net asks for, make
// the call fail under Wine.
const adapterFlags = windows.GAA_FLAG_SKIP_ANYCAST |
	windows.GAA_FLAG_SKIP_MULTICAST | windows.GAA_FLAG_SKIP_DNS_SERVER

// listHostAddrs lists the addresses of the interfaces that are up, in the order of their indexes.
func listHostAddrs() ([]network.HostAddr, error) {
	return listAdapters(windows.GetAdaptersAddresses)
}

// getAdapters is the type of GetAdaptersAddresses, in the notation of golang.org/x/sys.
type getAdapters func(family, flags uint32, reserved uintptr, list *windows.IpAdapterAddresses,
	size *uint32) error

func listAdapters(get getAdapters) ([]network.HostAddr, error) {
	buf, err := adapters(get)
	if err != nil {
		return nil, fmt.Errorf("list the interfaces: %w", posix(err))
	}
	var list []network.HostAddr
	if len(buf) == 0 {
		return nil, nil
	}
	first := (*windows.IpAdapterAddresses)(unsafe.Pointer(&buf[0]))
	for a := first; a != nil; a = a.Next {
		if a.OperStatus != windows.IfOperStatusUp {
			continue
		}
		for u := a.FirstUnicastAddress; u != nil; u = u.Next {
			raw := (*windows.RawSockaddrAny)(unsafe.Pointer(u.Address.Sockaddr))
			addr := addrPortOfRaw(raw).Addr().WithZone("")
			index := a.IfIndex
			if addr.Is6() && a.Ipv6IfIndex != 0 {
				index = a.Ipv6IfIndex
			}
			if addr.IsValid() {
				list = append(list, network.HostAddr{
					Name: windows.UTF16PtrToString(a.FriendlyName), Index: index,
					Flags:  adapterInterfaceFlags(a),
					Prefix: netip.PrefixFrom(addr, int(u.OnLinkPrefixLength))})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b network.HostAddr) int {
		return cmp.Compare(a.Index, b.Index)
	})
	return list, nil
}

// adapters returns a list of IP_ADAPTER_ADDRESSES, in memory that holds all it points to.
func adapters(get getAdapters) ([]uint64, error) {
	const most = 1 << 22
	for size := uint32(15_000); size <= most; {
		buf := make([]uint64, (size+7)/8)
		err := get(windows.AF_UNSPEC, adapterFlags, 0,
			(*windows.IpAdapterAddresses)(unsafe.Pointer(&buf[0])), &size)
		switch {
		case err == nil:
			return buf, nil
		case errors.Is(err, windows.ERROR_NO_DATA):
			return nil, nil
		case !errors.Is(err, windows.ERROR_BUFFER_OVERFLOW):
			return nil, err
		}
	}
	return nil, syscall.ENOBUFS
}

func adapterInterfaceFlags(a *windows.IpAdapterAddresses) network.InterfaceFlags {
	flags := network.InterfaceUp
	switch a.IfType {
	case windows.IF_TYPE_SOFTWARE_LOOPBACK:
		flags |= network.InterfaceLoopback | network.InterfaceMulticast
	case windows.IF_TYPE_PPP, windows.IF_TYPE_TUNNEL:
		flags |= network.InterfacePointToPoint | network.InterfaceMulticast
	default:
		flags |= network.InterfaceBroadcast | network.InterfaceMulticast
	}
	return flags
}

// ownAddrs lists the host's addresses, without zones.
func ownAddrs() (addrs []netip.Addr, err error) {
	list, err := listHostAddrs()
	for _, a := range list {
		addrs = append(addrs, a.Prefix.Addr())
	}
	return addrs, err
}
