package policy

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// scenario is the part of a case of testdata/decisions.txt that was read so far.
type scenario struct {
	guest, ceiling []Rule
	ceiled         bool
	now            time.Time
	pins           *Pins
}

func newScenario() *scenario {
	s := &scenario{now: time.Unix(1e9, 0)}
	s.pins = NewPins(func() time.Time { return s.now })
	return s
}

func (s *scenario) policy() *Policy {
	if !s.ceiled {
		return New(s.guest, Limits{})
	}
	return All(New(s.guest, Limits{}), New(s.ceiling, Limits{}))
}

// lookup plays one lookup: a name and addresses. Those with "!" must be removed from the answer.
func (s *scenario) lookup(family Family, words []string) error {
	var all, want []netip.Addr
	for _, w := range words[1:] {
		text, removed := strings.CutPrefix(w, "!")
		a, err := netip.ParseAddr(text)
		if err != nil {
			return err
		}
		if all = append(all, a); !removed {
			want = append(want, a.Unmap())
		}
	}
	kept, removed := s.policy().Answer(s.pins, words[0], family, all)
	if !slices.Equal(kept, want) || len(removed) != len(all)-len(want) {
		return fmt.Errorf("got %v kept and %v removed, want %v kept", kept, removed, want)
	}
	return nil
}

func TestDecisions(t *testing.T) {
	f, err := os.Open("testdata/decisions.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var s *scenario
	rows, line, title := 0, 0, ""
	for in := bufio.NewScanner(f); in.Scan(); {
		line++
		text := in.Text()
		if text == "" || text[0] == '#' {
			continue
		}
		mark, rest, _ := strings.Cut(text, " ")
		fail := func(format string, args ...any) {
			t.Errorf("decisions.txt:%d: %s: %s: %s", line, title, text,
				fmt.Sprintf(format, args...))
		}
		switch mark {
		case "=":
			s, title = newScenario(), rest
		case "|", "^":
			rule, err := ParseRule(rest, Origin{})
			switch {
			case err != nil:
				fail("%v", err)
			case mark == "|":
				s.guest = append(s.guest, rule)
			default:
				s.ceiling, s.ceiled = append(s.ceiling, rule), true
			}
		case "?", "?4", "?6":
			rows++
			family := map[string]Family{"?": AnyFamily, "?4": IPv4, "?6": IPv6}[mark]
			if err := s.lookup(family, strings.Fields(rest)); err != nil {
				fail("%v", err)
			}
		case "@":
			d, err := time.ParseDuration(rest)
			if err != nil {
				fail("%v", err)
			}
			s.now = s.now.Add(d)
		case "+", "-":
			rows++
			r, err := ParseRequest(rest)
			if err != nil {
				fail("%v", err)
				continue
			}
			d := s.policy().Decide(r, s.pins)
			if d.Allowed != (mark == "+") {
				fail("allowed = %v by %v", d.Allowed, d.Rule)
			}
			if d.Allowed && (d.Rule == nil || d.Rule.Effect() != Allow) || !d.Allowed &&
				d.Rule != nil && d.Rule.Effect() != Deny {
				fail("the rule that decided is %v", d.Rule)
			}
		default:
			fail("unknown mark")
		}
	}
	if rows < 300 {
		t.Errorf("got %d decisions, want at least 300", rows)
	}
	t.Logf("%d decisions", rows)
}
