// Package policy is the rule language: the rules for a guest's use of the network.
//
// A guest starts without any permission. An allow rule grants one, and a deny rule that matches
// always wins:
//
//	allow connect tcp://api.example.com:443
//	allow connect udp://10.0.0.0/8:53,5353
//	allow listen  tcp://127.0.0.1:8080 from 10.0.0.0/8
//	allow join    udp://224.0.0.251
//	allow resolve *.example.com
//	deny  connect private
//	allow connect unix:/run/app.sock
//
// [Rules] makes rules of values: [Connect], [Listen], [ListenFrom], [Join] and [Resolve]. [Parse]
// reads a policy file, [ParseRule] and [ParseTargets] read single rules. [New] compiles rules into
// a [Policy], [All] puts a ceiling over one, and [Policy.Decide] judges a [Request].
// [Pins] holds the addresses that names granted to one guest; [Policy.Answer] judges the answer to
// a lookup. [Policy.Explain] tells why a request is refused and which flag would allow it; all such
// hints come from [Hint]. [Learner] makes rules from requests, and [Merge] puts those into a file.
//
// Everything that can be decided from values alone belongs here, so that each decision can be
// tested as a row of a table. Sockets, resolvers, files, logging, and any clock but that of
// [NewPins] do not. Package network/guard asks the questions and acts on the answers.
//
// A Policy and a Rule are immutable. Pins and Learner each have one mutex, and no lock is taken
// while it is held, so there is no lock order.
//
// # How addresses are read
//
// Addresses are normalized before they are matched. An IPv4-mapped IPv6 address is the IPv4 address
// (RFC 4291, section 2.5.5.2). An address that embeds IPv4 addresses (NAT64, 6to4, Teredo, ISATAP,
// IPv4-compatible, IPv4-translated) must be allowed both as itself and as each of them. A connect
// to 0.0.0.0 or :: is a connect to loopback; the caller of Decide must connect to that. Zones are
// ignored.
//
// Special ranges are never implied: "*", "public" and names reach public addresses only. Loopback,
// private, link-local, metadata, multicast, broadcast, documentation and reserved addresses (RFC
// 6890) are reached by an address, a CIDR, a group, or "any". Groups are sets of addresses and
// overlap: the metadata service at 169.254.169.254 is link-local too. The host's own addresses
// ([Request].Own) are never implied either.
//
// # How listening is read
//
// A socket on every address of the host (0.0.0.0 or ::) listens on each of them. So it needs a rule
// that covers that very address, and a deny rule for any one address that it includes refuses it.
// :: includes the IPv4 addresses, and a rule for 0.0.0.0 also admits a peer that comes to :: by
// IPv4 (RFC 3493, section 3.7). Port 0 in a rule is an ephemeral port, and a rule without ports
// covers it. The peer of a deny rule is judged at an incoming connection or datagram, not at bind.
//
// # How paths are read
//
// A rule for a path is about the path as the guest sees it, and matches it byte by byte. Its caller
// has resolved "." and "..", and opens the file without following a symbolic link. No rule for
// addresses covers a path, and no rule is about the peers of a Unix-domain socket.
package policy
