package dnstest

import (
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// reply returns the answer to a query, or nil if there is none.
func (s *Server) reply(message []byte, transport string) []byte {
	var p dnsmessage.Parser
	h, err := p.Start(message)
	if err != nil || h.Response {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	out := dnsmessage.Message{
		Header: dnsmessage.Header{ID: h.ID, Response: true, Authoritative: true,
			RecursionDesired: h.RecursionDesired, RecursionAvailable: true},
		Questions: []dnsmessage.Question{q},
	}
	name := q.Name
	// 8 bounds a chain of CNAMEs.
	for range 8 {
		a, ok := s.nextAnswer(name.String(), q.Type, transport)
		if !ok {
			out.RCode = dnsmessage.RCodeNameError
			break
		}
		if a.Silent || !s.delay(a.Delay) {
			return nil
		}
		out.RCode = a.Code
		if a.Truncate && transport == "udp" {
			out.Truncated, out.Answers = true, nil
			break
		}
		out.Answers = append(out.Answers, a.resources(name, q.Type)...)
		if a.CNAME == "" {
			break
		}
		next, err := dnsmessage.NewName(canonical(a.CNAME))
		if err != nil {
			out.RCode = dnsmessage.RCodeServerFailure
			break
		}
		out.Answers = append(out.Answers, dnsmessage.Resource{
			Header: a.header(name),
			Body:   &dnsmessage.CNAMEResource{CNAME: next},
		})
		name = next
	}
	reply, err := out.Pack()
	if err != nil {
		return nil
	}
	return reply
}

// nextAnswer returns the next answer for a name.
func (s *Server) nextAnswer(name string, typ dnsmessage.Type, transport string) (Answer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.names[canonical(name)]
	if r == nil {
		return Answer{}, false
	}
	n := min(r.answered[typ], len(r.answers)-1)
	a := r.answers[n]
	r.questions[transport]++
	// After a truncated answer, the client asks for the same answer over TCP.
	if !a.Truncate || transport == "tcp" {
		r.answered[typ]++
	}
	return a, true
}

// delay waits for d. It reports false if the server is closed meanwhile.
func (s *Server) delay(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.done:
		return false
	}
}

func (a Answer) header(name dnsmessage.Name) dnsmessage.ResourceHeader {
	return dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: a.TTL}
}

func (a Answer) resources(name dnsmessage.Name, typ dnsmessage.Type) []dnsmessage.Resource {
	var all []dnsmessage.Resource
	for _, addr := range a.Addrs {
		var body dnsmessage.ResourceBody
		switch {
		case typ == dnsmessage.TypeA && addr.Is4():
			body = &dnsmessage.AResource{A: addr.As4()}
		case typ == dnsmessage.TypeAAAA && addr.Is6():
			body = &dnsmessage.AAAAResource{AAAA: addr.As16()}
		default:
			continue
		}
		all = append(all, dnsmessage.Resource{Header: a.header(name), Body: body})
	}
	for _, body := range a.Records[typ] {
		all = append(all, dnsmessage.Resource{Header: a.header(name), Body: body})
	}
	return all
}
