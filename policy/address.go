package policy

import (
	"encoding/binary"
	"net/netip"
)

// class says what kind of address an address is. The zero value is "any", which no address has: it stands for
// all of them in a rule.
type class uint8

const (
	classAny class = iota
	classPublic
	classLoopback
	classPrivate
	classLinkLocal
	classMetadata
	classMulticast
	classBroadcast
	classDocumentation
	classReserved
	classUnspecified
)

// classes gives the word that names a class in a rule, empty where no group has that name, and what a sentence
// says of such an address.
var classes = [...]struct{ group, is string }{
	classAny:           {"any", "an address"},
	classPublic:        {"public", "public"},
	classLoopback:      {"loopback", "loopback"},
	classPrivate:       {"private", "private"},
	classLinkLocal:     {"link-local", "link-local"},
	classMetadata:      {"metadata", "a cloud metadata address"},
	classMulticast:     {"multicast", "multicast"},
	classBroadcast:     {"broadcast", "broadcast"},
	classDocumentation: {"", "reserved for documentation"},
	classReserved:      {"", "reserved"},
	classUnspecified:   {"", "every address of this host"},
}

// ranges assigns the address space to classes, the longest prefix winning. It follows the IANA special-purpose
// registries; in IPv6 only what is inside 2000::/3 is public to begin with. The translation prefixes NAT64 and
// 6to4 count as public because the IPv4 address inside them is judged as well.
var ranges = []struct {
	prefix string
	class  class
}{
	{"0.0.0.0/0", classPublic},
	{"0.0.0.0/8", classReserved},
	{"0.0.0.0/32", classUnspecified},
	{"10.0.0.0/8", classPrivate},
	{"100.64.0.0/10", classPrivate}, // shared by carriers, and by overlay networks
	{"127.0.0.0/8", classLoopback},
	{"169.254.0.0/16", classLinkLocal},
	{"172.16.0.0/12", classPrivate},
	{"192.0.0.0/24", classReserved},
	{"192.0.2.0/24", classDocumentation},
	{"192.88.99.0/24", classReserved},
	{"192.168.0.0/16", classPrivate},
	{"198.18.0.0/15", classReserved}, // benchmarking
	{"198.51.100.0/24", classDocumentation},
	{"203.0.113.0/24", classDocumentation},
	{"224.0.0.0/4", classMulticast},
	{"240.0.0.0/4", classReserved},
	{"255.255.255.255/32", classBroadcast},

	{"::/0", classReserved},
	{"::/128", classUnspecified},
	{"::1/128", classLoopback},
	{"64:ff9b::/96", classPublic},
	{"64:ff9b:1::/48", classPrivate}, // NAT64 with a local prefix
	{"2000::/3", classPublic},
	{"2001::/23", classReserved}, // Teredo, ORCHID and the like
	{"2001:db8::/32", classDocumentation},
	{"3fff::/20", classDocumentation},
	{"fc00::/7", classPrivate},
	{"fe80::/10", classLinkLocal},
	{"fec0::/10", classPrivate}, // site-local, withdrawn but still routed in places
	{"ff00::/8", classMulticast},

	// The metadata services of the clouds. Some sit at addresses that would count as public.
	{"100.100.100.200/32", classMetadata}, // Alibaba
	{"168.63.129.16/32", classMetadata},   // Azure, the host's own service
	{"169.254.0.23/32", classMetadata},    // Tencent
	{"169.254.42.42/32", classMetadata},   // Scaleway
	{"169.254.169.254/32", classMetadata}, // AWS, Azure, Google, Oracle, OpenStack and most others
	{"169.254.170.2/32", classMetadata},   // AWS, credentials of a container
	{"169.254.170.23/32", classMetadata},  // AWS, credentials of a pod
	{"192.0.0.192/32", classMetadata},     // Oracle, older
	{"fd00:42::42/128", classMetadata},    // Scaleway
	{"fd00:c1::a9fe:a9fe/128", classMetadata},
	{"fd00:ec2::23/128", classMetadata},
	{"fd00:ec2::254/128", classMetadata}, // AWS
	{"fd20:ce::254/128", classMetadata},  // Google
	{"fe80::a9fe:a9fe/128", classMetadata},
}

var classIndex = func() *hostIndex[class] {
	var b hostBuilder[class]
	for _, r := range ranges {
		b.add(netip.MustParsePrefix(r.prefix), r.class)
	}
	return buildHosts(&b, func(c []class) class { return c[0] })
}()

// classOf returns the class of a normalised address.
func classOf(a netip.Addr) class {
	n := classIndex.find(a)
	if n == nil {
		return classReserved
	}
	return n.leaf
}

var classPrefixes = func() (p [len(classes)][]netip.Prefix) {
	p[classAny] = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	for _, r := range ranges {
		if r.class != classPublic {
			p[r.class] = append(p[r.class], netip.MustParsePrefix(r.prefix))
		}
	}
	return p
}()

// prefixes lists the ranges that a class covers. classPublic has no such list: it is what the others leave.
func (c class) prefixes() []netip.Prefix { return classPrefixes[c] }

// normal returns the address as the rules see it: IPv4 where it is mapped, and without a zone.
func normal(a netip.Addr) netip.Addr {
	return a.Unmap().WithZone("")
}

// destination returns the address that a connect to a reaches: the kernel takes the unspecified address for loopback.
func destination(a netip.Addr) netip.Addr {
	switch a = normal(a); {
	case !a.IsUnspecified():
		return a
	case a.Is4():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	default:
		return netip.IPv6Loopback()
	}
}

// inner returns the IPv4 address that a normalised IPv6 address carries, or the zero Addr.
func inner(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return netip.Addr{}
	}
	b := a.As16()
	hi, mid, last := binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint32(b[8:12]), binary.BigEndian.Uint32(b[12:])
	switch {
	case hi == 0x0064ff9b<<32 && mid == 0: // NAT64, 64:ff9b::a.b.c.d
	case hi == 0 && mid == 0xffff0000: // IPv4-translated, ::ffff:0:a.b.c.d
	case hi == 0 && mid == 0 && last > 1: // IPv4-compatible, ::a.b.c.d, where :: and ::1 are themselves
	case hi>>48 == 0x2002: // 6to4, 2002:aabb:ccdd::
		return netip.AddrFrom4([4]byte(b[2:6]))
	default:
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte(b[12:]))
}

// special reports whether a normalised address may not be reached through a name, a "*" or "public".
func special(a netip.Addr) bool {
	if classOf(a) != classPublic {
		return true
	}
	in := inner(a)
	return in.IsValid() && classOf(in) != classPublic
}
