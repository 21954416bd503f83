package guard

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

const cachedName = "name.test"

// keeper is a guard that keeps answers, in front of a DNS server, with a clock that a test sets.
type keeper struct {
	*Network
	server *dnstest.Server
	now    time.Time
}

func newKeeper(t *testing.T, o Options, rules ...string) *keeper {
	t.Helper()
	server, err := dnstest.Start(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	k := &keeper{server: server, now: time.Now()}
	o.KeepAnswers = true
	k.Network = New(kernel.New(kernel.Config{Server: server.Addr()}),
		testutil.Policy(t, rules...), o)
	k.answers.now = func() time.Time { return k.now }
	return k
}

// want looks a name up, and compares the answer and the number of questions to the server so far.
func (k *keeper) want(t *testing.T, name string, asked int, addrs ...string) {
	t.Helper()
	got, err := k.LookupAddrs(t.Context(), network.IPv4, name)
	var want []netip.Addr
	for _, a := range addrs {
		want = append(want, netip.MustParseAddr(a))
	}
	if !slices.Equal(got, want) || (err == nil) != (len(want) > 0) {
		t.Errorf("%s: got %v, %v; want %v", name, got, err, want)
	}
	if n := k.server.Asked(cachedName, "udp"); n != asked {
		t.Errorf("%s: got %d questions, want %d", name, n, asked)
	}
}

func answer(ttl uint32, addrs ...string) dnstest.Answer {
	a := dnstest.Addrs(addrs...)
	a.TTL = ttl
	return a
}

// TestAnswersLiveAsLongAsTheirTTL looks a name up again before and after its life, on each clock.
func TestAnswersLiveAsLongAsTheirTTL(t *testing.T) {
	k := newKeeper(t, Options{}, "allow connect name.test")
	k.server.Set(cachedName, answer(60, "93.184.216.1"), answer(60, "93.184.216.2"),
		answer(1<<31, "93.184.216.3"), answer(0, "93.184.216.4"), answer(100000, "93.184.216.5"),
		answer(100000, "93.184.216.6"), answer(100000, "93.184.216.7"))
	k.want(t, cachedName, 1, "93.184.216.1")
	k.now = k.now.Add(59 * time.Second)
	k.want(t, "NAME.test.", 1, "93.184.216.1")
	k.now = k.now.Add(time.Second)
	k.want(t, cachedName, 2, "93.184.216.2")
	k.now = k.now.Add(time.Minute)
	k.want(t, cachedName, 3, "93.184.216.3")
	k.want(t, cachedName, 4, "93.184.216.4")
	k.want(t, cachedName, 5, "93.184.216.5")
	k.now = k.now.Add(maxAnswerLife)
	k.want(t, cachedName, 6, "93.184.216.6")
	k.now = k.now.Round(0).Add(-time.Hour) // somebody sets the clock
	k.want(t, cachedName, 7, "93.184.216.7")
}

// TestFailuresAreNotKept asks again after each failure.
func TestFailuresAreNotKept(t *testing.T) {
	k := newKeeper(t, Options{}, "allow connect name.test")
	k.server.Set(cachedName, answer(60), answer(60), answer(60, "93.184.216.1"))
	k.want(t, cachedName, 1)
	k.want(t, cachedName, 2)
	k.want(t, cachedName, 3, "93.184.216.1")
	k.want(t, cachedName, 3, "93.184.216.1")
}

// TestAnswersAreJudgedAtEachUse replaces the policy while an answer is kept: a name that is denied
// now is refused, and addresses are filtered by the new rules.
func TestAnswersAreJudgedAtEachUse(t *testing.T) {
	var filtered []netip.Addr
	k := newKeeper(t, Options{OnFiltered: func(f *policy.Filtered) {
		filtered = append(filtered, f.Removed...)
	}}, "allow resolve name.test")
	k.server.Set(cachedName, answer(60, "93.184.216.1", "127.0.0.1"))
	k.want(t, cachedName, 1, "127.0.0.1", "93.184.216.1") // RFC 6724 sorts them
	to := policy.Request{Op: policy.OpConnect, Protocol: policy.TCP,
		Remote: netip.MustParseAddrPort("93.184.216.1:80")}
	if d := k.Policy().Decide(to, k.pins); d.Allowed {
		t.Error("got a connect allowed by a rule for lookups, want it refused")
	}
	k.SetPolicy(testutil.Policy(t, "allow connect name.test"))
	k.want(t, cachedName, 1, "93.184.216.1")
	if d := k.Policy().Decide(to, k.pins); !d.Allowed {
		t.Errorf("got %v, want the address of the kept answer allowed", d)
	}
	if want := netip.MustParseAddr("127.0.0.1"); !slices.Equal(filtered,
		[]netip.Addr{want}) {
		t.Errorf("got %v filtered, want %v", filtered, want)
	}
	k.SetPolicy(testutil.Policy(t, "allow connect other.test"))
	k.want(t, cachedName, 1)
	if got := k.Counters(); got.Lookups != 2 || got.Denied[policy.OpResolve] != 1 {
		t.Errorf("got %d lookups and %d refused, want 2 and 1", got.Lookups,
			got.Denied[policy.OpResolve])
	}
}

// TestFilteredAnswersAreNotKept has the policy remove a part of an answer, when it comes and later.
func TestFilteredAnswersAreNotKept(t *testing.T) {
	k := newKeeper(t, Options{}, "allow connect name.test")
	k.server.Set(cachedName, answer(60, "93.184.216.1", "10.0.0.1"))
	k.want(t, cachedName, 1, "93.184.216.1")
	k.want(t, cachedName, 2, "93.184.216.1")
	k.SetPolicy(testutil.Policy(t, "allow resolve name.test"))
	if got, err := k.LookupAddrs(t.Context(), network.IPv4, cachedName); len(got) != 2 {
		t.Errorf("got %v, %v, want two addresses", got, err)
	}
	k.SetPolicy(testutil.Policy(t, "allow connect name.test"))
	k.want(t, cachedName, 3, "93.184.216.1") // the kept answer, for the last time
	k.want(t, cachedName, 4, "93.184.216.1")
}

// TestAnswersAreCopied changes the answers that a caller got.
func TestAnswersAreCopied(t *testing.T) {
	k := newKeeper(t, Options{DryRun: true}, "allow connect other.test")
	k.server.Set(cachedName, answer(60, "127.0.0.1"))
	for range 3 {
		k.want(t, cachedName, 1, "127.0.0.1")
		got, _, _ := k.BeginLookup(network.IPv4, cachedName)
		if len(got) != 1 {
			t.Fatalf("got %v at once, want the kept answer", got)
		}
		got[0] = netip.MustParseAddr("93.184.216.66")
	}
}

// TestLookupLimitHoldsForKeptAnswers begins lookups beyond the limit.
func TestLookupLimitHoldsForKeptAnswers(t *testing.T) {
	k := newKeeper(t, Options{}, "allow connect name.test")
	p := policy.New(k.Policy().Rules(), policy.Limits{LookupsPerSecond: 1})
	k.server.Set(cachedName, answer(60, "93.184.216.1"))
	k.want(t, cachedName, 1, "93.184.216.1")
	k.SetPolicy(p)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 {
		_, wait, _ := k.BeginLookup(network.IPv4, cachedName)
		if wait == nil {
			continue
		}
		if _, err := wait(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the end of a wait for the limit", err)
		}
		return
	}
	t.Error("got three answers at once, want the limit of one a second")
}

// TestAnswerCacheIsBounded looks up more names than are kept, and answers that are too long.
func TestAnswerCacheIsBounded(t *testing.T) {
	now := time.Now()
	c := answerCache{now: func() time.Time { return now }}
	one := []netip.Addr{netip.MustParseAddr("93.184.216.1")}
	key := func(i int) answerKey { return answerKey{fmt.Sprintf("n%d.test", i), network.IPv4} }
	for i := range 3 * maxAnswers {
		now = now.Add(time.Millisecond)
		c.add(key(i), one, now, time.Minute)
	}
	if len(c.answers) != maxAnswers {
		t.Errorf("got %d answers, want %d", len(c.answers), maxAnswers)
	}
	for i, want := range map[int]bool{2*maxAnswers - 1: false, 2 * maxAnswers: true} {
		if _, got := c.find(key(i)); got != want {
			t.Errorf("name %d: got %t, want %t", i, got, want)
		}
	}
	long := slices.Repeat(one, maxAnswerAddrs+1)
	c.add(key(-1), long, now, time.Minute)
	if got, ok := c.find(key(-1)); ok {
		t.Errorf("got %d addresses kept, want none", len(got))
	}
}

// TestKeptAnswerAllocatesLittle counts the allocations of a lookup with a kept answer: the copy
// of the answer, and those of the judgement.
func TestKeptAnswerAllocatesLittle(t *testing.T) {
	k := newKeeper(t, Options{}, "allow connect name.test")
	k.server.Set(cachedName, answer(60, "93.184.216.1"))
	k.want(t, cachedName, 1, "93.184.216.1")
	const most = 8
	if got := testing.AllocsPerRun(100, func() {
		k.BeginLookup(network.IPv4, cachedName)
	}); got > most {
		t.Errorf("got %v allocations, want at most %d", got, most)
	}
}
