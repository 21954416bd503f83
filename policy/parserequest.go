package policy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// ParseRequest parses the text of a request: an [Op] and its target, such as
//
//	connect tcp://93.184.216.34:443
//	connect tcp://api.example.com:443
//	listen tcp://0.0.0.0:8080
//	accept tcp://0.0.0.0:8080 from 10.0.0.7
//	join udp://224.0.0.251
//	resolve api.example.com
//	connect unix:/run/app.sock
//
// Local port 0 is an ephemeral port. The error is an [*Error].
func ParseRequest(text string) (Request, error) {
	var p parser
	w := splitWords(text)
	op, names := -1, opNames[:OpAlter]
	if len(w) > 0 {
		op = slices.Index(names, w[0].text)
	}
	if op < 0 {
		return Request{}, p.fail(0, "write "+strings.Join(names, ", "),
			"%q does not start with what to do", text)
	}
	r := Request{Op: Op(op)}
	from := r.Op == OpAccept || r.Op == OpReceive
	switch {
	case from && (len(w) != 4 || w[2].text != "from"):
		return Request{}, p.fail(0, "write "+w[0].text+" tcp://127.0.0.1:80 from 10.0.0.7",
			"%q is not one request", text)
	case !from && len(w) != 2:
		return Request{}, p.fail(0, "write "+w[0].text+" and one target", "%q is not one request",
			text)
	}
	if r.Op == OpResolve {
		r.Name = w[1].text
		return r, nil
	}
	if isUnixTarget(w[1].text) {
		return p.unixRequest(r, w[1])
	}
	if err := p.requestTarget(&r, w[1]); err != nil {
		return Request{}, err
	}
	if from {
		r.Local = r.Remote
		var err error
		if err := p.refuseAmbiguousPort(w[3]); err != nil {
			return Request{}, err
		}
		if r.Remote, err = parseAddrPort(w[3].text, true); err != nil {
			return Request{}, p.fail(w[3].offset, "write an address, or address:port",
				"%q is not a peer", w[3].text)
		}
	} else if r.Op != OpConnect && r.Op != OpJoin {
		r.Local, r.Remote = r.Remote, netip.AddrPort{}
	}
	r.Ephemeral = r.Local.IsValid() && r.Local.Port() == 0
	return r, nil
}

// requestTarget parses PROTOCOL://ADDRESS:PORT into r.Remote or, for a connect,
// PROTOCOL://NAME:PORT into r.Name and r.Remote.
func (p parser) requestTarget(r *Request, w word) *Error {
	proto, rest, ok := strings.Cut(w.text, "://")
	switch {
	case ok && proto == "tcp":
		r.Protocol = TCP
	case ok && proto == "udp":
		r.Protocol = UDP
	case !ok && r.Op == OpJoin:
		rest = w.text
	case ok:
		return p.fail(w.offset, "write tcp://, udp:// or unix:/PATH", "%q is not a protocol", proto)
	default:
		return p.fail(w.offset, "write tcp:// or udp:// in front, or unix:/PATH",
			"%q has no protocol", w.text)
	}
	if err := p.refuseAmbiguousPort(word{rest, w.offset + len(w.text) - len(rest)}); err != nil {
		return err
	}
	var err error
	if r.Remote, err = parseAddrPort(rest, r.Op == OpJoin); err == nil {
		return nil
	}
	name, port, ok := strings.Cut(rest, ":")
	n, err := strconv.ParseUint(port, 10, 16)
	if r.Op != OpConnect || !ok || err != nil {
		return p.fail(w.offset, "write an address and a port, such as tcp://10.0.0.5:80 or "+
			"tcp://[::1]:80", "%q is not a target", w.text)
	}
	if name == "*" || groupClass(name) >= 0 {
		return p.fail(w.offset, "write an address of it", "%q stands for several addresses", name)
	}
	if r.Name, err = CanonicalName(name); err != nil {
		return p.fail(w.offset, "write an address or a name", "%q is %v", name, err)
	}
	r.Remote = netip.AddrPortFrom(netip.Addr{}, uint16(n))
	return nil
}

// unixRequest parses unix:PATH into r.
func (p parser) unixRequest(r Request, w word) (Request, error) {
	if !isUnixOp(r.Op) {
		return Request{}, p.fail(w.offset, "write connect, bind or listen",
			"%s is a Unix-domain socket, and no rule is about %s", w.text, r.Op)
	}
	r.Protocol, r.Path = Unix, strings.TrimPrefix(w.text, unixScheme)
	if problem, hint := pathMistake(r.Path); problem != "" {
		return Request{}, p.fail(w.offset+len(unixScheme), hint, "%q %s", w.text, problem)
	}
	return r, nil
}

// parseAddrPort parses ADDRESS:PORT and, if optionalPort, ADDRESS alone.
func parseAddrPort(s string, optionalPort bool) (netip.AddrPort, error) {
	ap, err := netip.ParseAddrPort(s)
	if err != nil && optionalPort {
		var a netip.Addr
		a, err = netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
		ap = netip.AddrPortFrom(a, 0)
	}
	return ap, err
}
