// Package policy is the rule language: what a guest may do on the network.
//
// A guest starts with nothing. A rule grants or takes away, and a deny that matches always wins:
//
//	allow connect tcp://api.example.com:443
//	allow connect udp://10.0.0.0/8:53,5353
//	allow listen  tcp://127.0.0.1:8080 from 10.0.0.0/8
//	allow join    udp://224.0.0.251
//	allow resolve *.example.com
//	deny  connect private
//
// [Parse] reads a policy file, [ParseRule] and [ParseTargets] read single rules, [New] compiles
// rules into a [Policy], [All] puts a ceiling over one, and [Policy.Decide] judges a [Request].
// What names granted is remembered per guest in [Pins]; [Policy.Answer] judges what a lookup
// returned. [Policy.Explain] says why a request is refused and which flag would allow it; all such
// hints come from [Hint]. [Learner] goes the other way, from requests to rules, and [Merge] puts
// those into a file.
//
// What belongs here is everything that can be decided from values alone, so that every decision can
// be tested as a row of a table. What does not: sockets, resolvers, files, logging, and any clock
// but the one handed to [NewPins]. Package network/guard asks the questions and acts on the
// answers.
//
// # How addresses are read
//
// Addresses are normalised before they are matched. An IPv4-mapped IPv6 address is the IPv4
// address. An address that carries IPv4 addresses inside it (NAT64, 6to4, Teredo, ISATAP,
// IPv4-compatible, IPv4-translated) must be allowed both as itself and as each of them. A connect
// to 0.0.0.0 or :: is a connect to loopback; whoever asks must connect to that. Zones are ignored.
//
// Special ranges are never implied: "*", "public" and names reach public addresses only. Loopback,
// private, link-local, metadata, multicast, broadcast, documentation and reserved addresses are
// reached by an address, a CIDR, a group, or "any". Groups are sets of addresses and overlap: the
// metadata service at 169.254.169.254 is link-local too. The host's own addresses ([Request].Own)
// are never implied either.
//
// # How listening is read
//
// A socket on every address of the host (0.0.0.0 or ::) listens on each of them. So it needs a rule
// that covers that very address, and a deny for any one address that it includes refuses it; ::
// includes the IPv4 addresses, and a peer that comes to it by IPv4 may come by a rule for 0.0.0.0
// as well. Port 0 in a rule is a port of the host's choice, and a rule without ports covers it. The
// peer of a deny is judged when somebody connects or sends, not when the socket is bound.
package policy
