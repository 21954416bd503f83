package child

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/wasport/wasport/policy"
)

func TestSearchDomainsOfResolvConf(t *testing.T) {
	for _, row := range []struct {
		name, text string
		want       []string
		ndots      int
	}{
		{"empty", "", nil, 0},
		{"of a pod", "nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cluster.local " +
			"cluster.local\noptions ndots:5 timeout:1\n",
			[]string{"default.svc.cluster.local", "svc.cluster.local", "cluster.local"}, 5},
		{"the last holds", "search a.test\ndomain b.test\n", []string{"b.test"}, 0},
		{"no names", "search a..test -x_* ok.test \x00\noptions ndots:-3 ndots:x",
			[]string{"ok.test"}, 0},
		{"huge ndots", "options ndots:1000000", nil, 15},
		{"many", "search" + strings.Repeat(" a.test", 1000),
			slices.Repeat([]string{"a.test"}, 32), 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, ndots := searchDomains(row.text)
			if !slices.Equal(got, row.want) || ndots != row.ndots {
				t.Errorf("got %q and %d, want %q and %d", got, ndots, row.want, row.ndots)
			}
		})
	}
}

func TestReportsAreBounded(t *testing.T) {
	var out strings.Builder
	l := &reportLog{out: &out}
	p := policy.New(nil, policy.Limits{})
	for i := range 3000 {
		r := policy.Request{Op: policy.OpConnect, Protocol: policy.TCP,
			Remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 80)}
		for range 2 {
			l.refusal(p.Explain(r, p.Decide(r, nil)))
		}
	}
	text := out.String()
	if got := strings.Count(text, "denied connect"); got != maxReports {
		t.Errorf("got %d reports, want %d", got, maxReports)
	}
	if !strings.Contains(text, "to allow it: ") || !strings.Contains(text, "10.0.0.0:80") {
		t.Errorf("got %.300q, want the request and the rule that allows it", text)
	}
}

func TestWithWorkingDir(t *testing.T) {
	for _, row := range [][2][]string{
		{{"A=b"}, {"A=b", "PWD=/x"}}, {{"PWD=/y"}, {"PWD=/y"}}, {nil, {"PWD=/x"}},
	} {
		if got := withWorkingDir(row[0], "/x"); !slices.Equal(got, row[1]) {
			t.Errorf("got %q, want %q", got, row[1])
		}
	}
}
