package kernel

import (
	"bytes"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// FuzzReply decodes arbitrary replies of servers. One that is taken has answers of the type that
// was asked for and aliases alone, and its encoding is a reply that is taken, too.
func FuzzReply(f *testing.F) {
	q := recordQuery{question: dnsmessage.Question{Name: dnsmessage.MustNewName("name.test."),
		Type: dnsmessage.TypeMX, Class: dnsmessage.ClassINET}}
	header := dnsmessage.ResourceHeader{Name: q.question.Name, Class: dnsmessage.ClassINET}
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, Response: true},
		Questions: []dnsmessage.Question{q.question},
		Answers: []dnsmessage.Resource{
			{Header: header, Body: &dnsmessage.CNAMEResource{CNAME: q.question.Name}},
			{Header: header, Body: &dnsmessage.MXResource{MX: q.question.Name}},
			{Header: header, Body: &dnsmessage.AResource{}},
		},
	}
	seed, err := reply.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add(bytes.Replace(seed, []byte{0, 7}, []byte{0, 8}, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := q.parse(b, 7)
		if err != nil {
			return
		}
		for _, a := range m.Answers {
			if a.Header.Type != dnsmessage.TypeMX && a.Header.Type != dnsmessage.TypeCNAME {
				t.Errorf("got an answer of %v, want those of %v alone", a.Header.Type,
					q.question.Type)
			}
		}
		again, err := m.Pack()
		if err != nil {
			t.Fatalf("got %v, want an encoding of %v", err, m.GoString())
		}
		if _, err := q.parse(again, 0); err != nil {
			t.Errorf("got %v of %x, want what was encoded", err, again)
		}
	})
}
