package kernel

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wasport/wasport/network"
)

const (
	// maxUDPReply is the size in bytes of the largest reply over UDP that a query asks for. It goes
	// through without fragments (RFC 9715, section 3.1); larger ones come over TCP.
	maxUDPReply = 1232
	// maxReply is the size in bytes of the largest message (RFC 1035, section 4.2.2).
	maxReply = 65535
)

var (
	errNotReply = errors.New("not a reply to the query")
	errAsked    = errors.New("the server has been asked")
)

// canLookUp reports whether records of a type can be looked up: those whose data package dnsmessage
// decodes, and others whose data has no compressed names (RFC 3597, section 4). Addresses are left
// to LookupAddrs. 41 and 128 to 255 are no types of records (RFC 6895, section 3.1).
func canLookUp(t dnsmessage.Type) bool {
	const naptr = 35 // RFC 3403, section 4.1
	switch t {
	case dnsmessage.TypeNS, dnsmessage.TypeCNAME, dnsmessage.TypeSOA, dnsmessage.TypePTR,
		dnsmessage.TypeMX, dnsmessage.TypeTXT, dnsmessage.TypeSRV, naptr:
		return true
	}
	return t > dnsmessage.TypeOPT && t < 128 || t > 255
}

// LookupRecords implements network.RecordResolver. It asks the server of the Config, or the host's
// own ones, and never for names of localhost, which have no such records (RFC 6761, section 6.3).
func (r *resolver) LookupRecords(ctx context.Context, name string, typ uint16) ([]byte, error) {
	name = canonicalName(name)
	q := recordQuery{question: dnsmessage.Question{Type: dnsmessage.Type(typ),
		Class: dnsmessage.ClassINET}}
	if !canLookUp(q.question.Type) {
		return nil, syscall.EOPNOTSUPP
	}
	var err error
	if q.question.Name, err = dnsmessage.NewName(name + "."); err != nil {
		return nil, &network.LookupError{Name: name, Failure: network.NoSuchHost, Err: err}
	}
	if isLocalhost(name) {
		reply := dnsmessage.Message{Header: dnsmessage.Header{Response: true},
			Questions: []dnsmessage.Question{q.question}}
		return reply.Pack()
	}
	ctx, cancel := r.limit(ctx)
	defer cancel()
	err = q.askServers(ctx, r.newNetResolver())
	switch {
	case ctx.Err() == nil && q.reply != nil:
		return q.reply, nil
	case ctx.Err() == nil && q.failure != nil:
		return nil, q.failure
	}
	return nil, lookupError(ctx, name, err)
}

// recordQuery is a query under way.
type recordQuery struct {
	question dnsmessage.Question
	// reply is that of the first server that had a useful one, and failure that of the last one
	// without.
	reply   []byte
	failure error
}

// askServers asks the servers that Go's resolver would ask, one after the other: it knows the
// host's configuration on each system, which package net does not export, but gives no replies. So
// the query is made where it dials a server.
func (q *recordQuery) askServers(ctx context.Context, r *net.Resolver) error {
	dial := r.Dial
	r.PreferGo = true
	r.Dial = func(ctx context.Context, transport, server string) (net.Conn, error) {
		transports := []string{"udp", "tcp"}
		for _, t := range transports[slices.Index(transports, transport):] {
			if q.reply != nil || ctx.Err() != nil {
				break
			}
			c, err := dial(ctx, t, server)
			if err != nil {
				return nil, err
			}
			truncated := q.ask(ctx, c)
			c.Close()
			if !truncated {
				break
			}
		}
		return nil, errAsked
	}
	_, err := r.LookupTXT(ctx, q.question.Name.String())
	return err
}

// ask asks one server, and reports whether the reply lacks records that another transport has room
// for.
func (q *recordQuery) ask(ctx context.Context, c net.Conn) (truncated bool) {
	fail := func(f network.LookupFailure, err error) {
		q.failure = &network.LookupError{Name: canonicalName(q.question.Name.String()), Failure: f,
			Err: err}
	}
	if deadline, ok := ctx.Deadline(); ok {
		c.SetDeadline(deadline)
	}
	m, err := q.exchange(c)
	switch {
	case errors.Is(err, errNotReply):
		fail(network.ServerFailure, err)
	case err != nil:
		fail(network.NoAnswer, err)
	case m.Truncated:
		fail(network.ServerFailure, errors.New("the reply is truncated"))
		return true
	case m.RCode != dnsmessage.RCodeSuccess && m.RCode != dnsmessage.RCodeNameError:
		fail(network.ServerFailure, errors.New(m.RCode.String()))
	default:
		b, err := m.Pack()
		if err != nil || len(b) > maxReply {
			fail(network.ServerFailure, errNotReply)
			return false
		}
		q.reply = b
	}
	return false
}

// exchange sends the query and waits for its reply. As in Go's resolver, a connection that is no
// PacketConn has the length before each message (RFC 1035, section 4.2.2).
func (q *recordQuery) exchange(c net.Conn) (*dnsmessage.Message, error) {
	query, err := q.message()
	if err != nil {
		return nil, err
	}
	id := binary.BigEndian.Uint16(query)
	if _, ok := c.(net.PacketConn); !ok {
		framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)
		if _, err := c.Write(framed); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(c, framed[:2]); err != nil {
			return nil, err
		}
		b := make([]byte, binary.BigEndian.Uint16(framed))
		if _, err := io.ReadFull(c, b); err != nil {
			return nil, err
		}
		return q.parse(b, id)
	}
	if _, err := c.Write(query); err != nil {
		return nil, err
	}
	b := make([]byte, maxUDPReply)
	for {
		n, err := c.Read(b)
		if err != nil {
			return nil, err
		}
		// A datagram of another sender than the server, which has to guess the number.
		if m, err := q.parse(b[:n], id); err == nil {
			return m, nil
		}
	}
}

// message returns the query with a number that nobody can guess.
func (q *recordQuery) message() ([]byte, error) {
	var id [2]byte
	rand.Read(id[:])
	var opt dnsmessage.Resource
	opt.Body = &dnsmessage.OPTResource{}
	if err := opt.Header.SetEDNS0(maxUDPReply, dnsmessage.RCodeSuccess, false); err != nil {
		return nil, err
	}
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: binary.BigEndian.Uint16(id[:]), RecursionDesired: true},
		Questions: []dnsmessage.Question{q.question}, Additionals: []dnsmessage.Resource{opt},
	}
	return m.Pack()
}

// parse returns a reply to the query, with the answers that were asked for and the aliases that led
// to them, and without its number.
func (q *recordQuery) parse(b []byte, id uint16) (*dnsmessage.Message, error) {
	var p dnsmessage.Parser
	h, err := p.Start(b)
	if err != nil || h.ID != id || !h.Response {
		return nil, errNotReply
	}
	asked, err := p.Question()
	if err != nil || asked.Type != q.question.Type || asked.Class != q.question.Class ||
		!strings.EqualFold(asked.Name.String(), q.question.Name.String()) ||
		p.SkipAllQuestions() != nil {
		return nil, errNotReply
	}
	h.ID = 0
	m := &dnsmessage.Message{Header: h, Questions: []dnsmessage.Question{q.question}}
	for {
		header, err := p.AnswerHeader()
		switch {
		case errors.Is(err, dnsmessage.ErrSectionDone):
			return m, nil
		case err != nil:
			return nil, errNotReply
		}
		if header.Class != dnsmessage.ClassINET ||
			header.Type != q.question.Type && header.Type != dnsmessage.TypeCNAME {
			err = p.SkipAnswer()
		} else {
			var answer dnsmessage.Resource
			answer, err = p.Answer()
			m.Answers = append(m.Answers, answer)
		}
		if err != nil {
			return nil, errNotReply
		}
	}
}
