package policy

import (
	"encoding/binary"
	"net/netip"
	"sync"
)

// class is the kind of an address. The zero value is "any", which no address has: in a rule it
// stands for all of them.
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

// classes has for each class the word that names it in a rule, or "" if no group has that class,
// and the phrase that a sentence uses for such an address.
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

// ranges assigns the address space to classes; the longest prefix wins. It follows the IANA
// special-purpose registries (RFC 6890). In IPv6 only 2000::/3, which IANA has delegated for global
// unicast, is public. The translation prefixes of NAT64 and 6to4 count as public because the
// embedded IPv4 address is judged as well.
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

// classIndex is made when the first address is judged: many processes judge none.
var classIndex = sync.OnceValue(func() *hostIndex[class] {
	var b hostBuilder[class]
	for _, r := range ranges {
		b.add(netip.MustParsePrefix(r.prefix), r.class)
	}
	return buildHosts(&b, func(c []class) class { return c[0] })
})

// classOf returns the class of a normalized address.
func classOf(a netip.Addr) class {
	n := classIndex().find(a)
	if n == nil {
		return classReserved
	}
	return n.leaf
}

var classPrefixes = sync.OnceValue(func() (p [len(classes)][]netip.Prefix) {
	p[classAny] = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	for _, r := range ranges {
		if r.class != classPublic {
			p[r.class] = append(p[r.class], netip.MustParsePrefix(r.prefix))
		}
	}
	return p
})

// prefixes lists the ranges of a class. classPublic has no list: it is the rest of the address
// space.
func (c class) prefixes() []netip.Prefix { return classPrefixes()[c] }

// normalizeAddr returns the address as rules see it: IPv4 if it is IPv4-mapped (RFC 4291, section
// 2.5.5.2), and without a zone.
func normalizeAddr(a netip.Addr) netip.Addr {
	return a.Unmap().WithZone("")
}

// connectDestination returns the address as which a connect to a is judged: the loopback address if
// a is unspecified, else a. A kernel that is given the unspecified address connects to the source
// address of the socket if that is bound, else to loopback (ip(7)). That may not be the address
// that was judged. Package network/guard therefore gives the socket the loopback address instead.
func connectDestination(a netip.Addr) netip.Addr {
	switch a = normalizeAddr(a); {
	case !a.IsUnspecified():
		return a
	case a.Is4():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	default:
		return netip.IPv6Loopback()
	}
}

// maxEmbedded is the largest number of IPv4 addresses that one IPv6 address can embed: four under a
// local NAT64 prefix, and one for ISATAP.
const maxEmbedded = 5

// embeddedIPv4 lists the IPv4 addresses that an IPv6 address embeds for a gateway or tunnel (RFC
// 6052, section 1.3).
type embeddedIPv4 struct {
	list [maxEmbedded][4]byte
	n    uint8
}

// at returns the address with an index below n.
func (c *embeddedIPv4) at(i uint8) netip.Addr { return netip.AddrFrom4(c.list[i]) }

func (c *embeddedIPv4) add(b [4]byte) {
	c.list[c.n] = b
	c.n++
}

// embeddedIPv4Of returns the IPv4 addresses that a normalized address embeds.
func embeddedIPv4Of(a netip.Addr) (c embeddedIPv4) {
	if !a.Is6() {
		return c
	}
	b := a.As16()
	last := [4]byte(b[12:])
	hi, mid := binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint32(b[8:12])
	switch {
	case hi == 0x0064ff9b<<32 && mid == 0: // NAT64, 64:ff9b::a.b.c.d (RFC 6052)
		c.add(last)
	case hi>>16 == 0x0064ff9b0001: // NAT64 with a local prefix, 64:ff9b:1::/48 (RFC 8215)
		c.addLocalNAT64(b)
	case hi == 0 && mid == 0xffff0000: // IPv4-translated, ::ffff:0:a.b.c.d (RFC 2765)
		c.add(last)
	case hi == 0 && mid == 0 && binary.BigEndian.Uint32(last[:]) > 1:
		// IPv4-compatible, where :: and ::1 are themselves
		c.add(last)
	case hi>>48 == 0x2002: // 6to4, 2002:aabb:ccdd:: (RFC 3056)
		c.add([4]byte(b[2:6]))
	case hi>>32 == 0x20010000:
		// Teredo, 2001:0:server:…:client, the latter with its bits inverted (RFC 4380)
		c.add([4]byte(b[4:8]))
		c.add([4]byte{^last[0], ^last[1], ^last[2], ^last[3]})
	}
	if mid&^0x02000000 == 0x5efe { // ISATAP, any prefix and then [02]00:5efe:a.b.c.d (RFC 5214)
		c.add(last)
	}
	return c
}

// addLocalNAT64 adds the IPv4 addresses that a translator may read in an address under
// 64:ff9b:1::/48 (RFC 8215). The layout depends on the length of the prefix that the site chose,
// which the address does not tell, and translators ignore the remaining bits (RFC 6052, section
// 2.2). So every layout counts, except one that gives an address of "this network", to which
// nothing is sent (RFC 1122, section 3.2.1.3).
func (c *embeddedIPv4) addLocalNAT64(b [16]byte) {
	for _, v4 := range [...][4]byte{
		{b[6], b[7], b[9], b[10]},   // after 48 bits; byte 8 is reserved
		{b[7], b[9], b[10], b[11]},  // after 56
		{b[9], b[10], b[11], b[12]}, // after 64
		{b[12], b[13], b[14], b[15]},
	} {
		if v4[0] != 0 {
			c.add(v4)
		}
	}
}

// nonPublic reports whether a normalized address is out of the reach of a name, "*" and "public":
// it is not public, or it embeds an address that is not.
func nonPublic(a netip.Addr) bool {
	if classOf(a) != classPublic {
		return true
	}
	in := embeddedIPv4Of(a)
	for i := range in.n {
		if classOf(in.at(i)) != classPublic {
			return true
		}
	}
	return false
}
