package canon_test

import (
	"testing"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/component/canon/canontest"
	"github.com/wasport/wasport/internal/component/wit"
)

func mustFunc(t testing.TB, s *wit.Scope, signature string) *wit.Func {
	t.Helper()
	f, err := s.Func(signature)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestHostFuncGetsAndReturnsValues(t *testing.T) {
	s := &wit.Scope{}
	if err := s.Define("resource thing; record pair { a: u8, b: string }"); err != nil {
		t.Fatal(err)
	}
	thing := s.Resource("thing")
	open := &canon.HostFunc{
		Name: "open", Type: mustFunc(t, s, "(p: pair) -> result<thing, string>"),
		Generic: func(c *canon.Call) error {
			p := c.Arg(0).Items()
			if p[1].Text() != "name" {
				c.Return(canon.Err(canon.Text("no " + p[1].Text())))
				return nil
			}
			c.Return(canon.OK(canon.Rep(uint32(p[0].Uint()) + 100)))
			return nil
		},
	}
	dropped := uint32(0)
	drop := &canon.HostResource{Type: thing, Drop: func(_ any, rep uint32) error {
		dropped = rep
		return nil
	}}
	g := canontest.New(nil)
	v, err := g.Call(open, canon.Tuple(canon.Uint(7), canon.Text("name")))
	if err != nil || v.Case() != 0 || v.Payload().Uint() != 1 {
		t.Fatalf("got %v, %v, want handle 1", v, err)
	}
	if err := g.Drop(drop, v.Payload()); err != nil || dropped != 107 {
		t.Errorf("got %v, dropped %d, want 107", err, dropped)
	}
	v, err = g.Call(open, canon.Tuple(canon.Uint(7), canon.Text("ü")))
	if err != nil || v.Case() != 1 || v.Payload().Text() != "no ü" {
		t.Errorf("got %v, %q, %v, want an error", v, v.Payload().Text(), err)
	}
}
