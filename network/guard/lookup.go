package guard

import (
	"context"
	"errors"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/time/rate"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

var families = map[network.Family]policy.Family{
	network.AnyFamily: policy.AnyFamily, network.IPv4: policy.IPv4, network.IPv6: policy.IPv6,
}

// LookupAddrs judges the name and then the answer. It removes the addresses that a rule with the
// name must not reach, and remembers the others as the addresses of the name. Beyond the limit of
// lookups it waits. If a proxy resolves names, the answer is an address that stands for the name.
func (n *Network) LookupAddrs(ctx context.Context, family network.Family,
	name string) ([]netip.Addr, error) {
	addrs, wait, err := n.BeginLookup(family, name)
	if wait != nil {
		return wait(ctx)
	}
	return addrs, err
}

// BeginLookup does the part of LookupAddrs that does not wait. It answers at once if the limit of
// lookups is not reached and the Network beneath need not be asked: for a name that a proxy
// resolves, or if the answer is kept (Options.KeepAnswers). Otherwise wait, which is called at most
// once, does the rest.
func (n *Network) BeginLookup(family network.Family, name string) (addrs []netip.Addr,
	wait func(context.Context) ([]netip.Addr, error), err error) {
	canonical, err := n.judgeLookup(name)
	if err != nil {
		return nil, nil, err
	}
	limit := n.active.Load().lookups
	if limit == nil || limit.Allow() {
		n.counters.lookups.Add(1)
		if addrs, known, err := n.knownAddrs(family, canonical); known {
			return addrs, nil, err
		}
		limit = nil
	}
	return nil, n.restOfLookup(limit, family, canonical), nil
}

// restOfLookup returns the part of a lookup that may wait: for a limit too, if that is not nil.
func (n *Network) restOfLookup(limit *rate.Limiter, family network.Family,
	canonical string) func(context.Context) ([]netip.Addr, error) {
	return func(ctx context.Context) ([]netip.Addr, error) {
		if limit != nil {
			if err := n.awaitLookup(ctx, limit); err != nil {
				return nil, err
			}
			if addrs, known, err := n.knownAddrs(family, canonical); known {
				return addrs, err
			}
		}
		return n.askAddrs(ctx, family, canonical)
	}
}

// knownAddrs returns the answer to a lookup, or its failure, if the Network beneath need not be
// asked.
func (n *Network) knownAddrs(family network.Family, canonical string) (addrs []netip.Addr,
	known bool, err error) {
	if n.resolvesRemotely() {
		if addrs := n.standIns.of(canonical, family); addrs != nil {
			return addrs, true, nil
		}
		return nil, true, &network.LookupError{Name: canonical, Failure: network.NoAnswer}
	}
	if n.options.KeepAnswers {
		if addrs, known = n.answers.find(answerKey{canonical, family}); known {
			addrs, err = n.judgeAnswer(family, canonical, addrs)
		}
	}
	return addrs, known, err
}

// askAddrs asks the Network beneath for the addresses of a name.
func (n *Network) askAddrs(ctx context.Context, family network.Family,
	canonical string) (addrs []netip.Addr, err error) {
	if r, ok := n.base.(network.TTLResolver); ok && n.options.KeepAnswers {
		asked, life := n.answers.now(), time.Duration(0)
		addrs, life, err = r.LookupAddrsTTL(ctx, family, canonical)
		if err == nil {
			n.answers.add(answerKey{canonical, family}, addrs, asked, life)
		}
	} else {
		addrs, err = n.base.LookupAddrs(ctx, family, canonical)
	}
	if failed, ok := errors.AsType[*network.LookupError](err); ok &&
		failed.Failure == network.NoAnswer {
		n.lookupUnanswered.Store(true)
	}
	if err != nil {
		return nil, err
	}
	return n.judgeAnswer(family, canonical, addrs)
}

// judgeAnswer judges an answer by the policy in force now, since a lookup may take seconds.
func (n *Network) judgeAnswer(family network.Family, canonical string,
	addrs []netip.Addr) ([]netip.Addr, error) {
	p := n.Policy()
	kept, removed := p.Answer(n.pins, canonical, families[family], addrs)
	if len(removed) > 0 {
		n.answers.remove(answerKey{canonical, family})
		n.noteFiltered(p.ExplainAnswer(canonical, removed))
		if n.options.DryRun {
			kept = addrs
		}
	}
	if n.options.Learner != nil {
		n.options.Learner.Lookup(canonical, kept)
	}
	if len(kept) == 0 {
		return nil, &network.LookupError{Name: canonical, Failure: network.NoSuchHost}
	}
	return kept, nil
}

// LookupRecords judges the name, and counts as a lookup does. The answers are not judged: addresses
// come by LookupAddrs alone, and those that other records mention, such as SVCB and TXT, grant
// nothing.
func (n *Network) LookupRecords(ctx context.Context, name string, typ uint16) ([]byte, error) {
	canonical, err := n.judgeLookup(name)
	if err != nil {
		return nil, err
	}
	base, ok := n.base.(network.RecordResolver)
	switch dnsmessage.Type(typ) {
	case dnsmessage.TypeA, dnsmessage.TypeAAAA:
		ok = false
	}
	if !ok || n.resolvesRemotely() {
		return nil, syscall.EOPNOTSUPP
	}
	if err := n.awaitLookup(ctx, n.active.Load().lookups); err != nil {
		return nil, err
	}
	return base.LookupRecords(ctx, canonical, typ)
}

// judgeLookup judges a name, and returns it as it is to be looked up.
func (n *Network) judgeLookup(name string) (string, error) {
	// 1. Spelling: look up exactly the name that is judged. A resolver may read other spellings
	// otherwise.
	canonical, notName := policy.CanonicalName(name)

	// 2. Rule: judge the name. No rule can allow a text that is none, so it gets the record of a
	// refusal, and the error of a name without a host.
	active := n.active.Load()
	r := policy.Request{Op: policy.OpResolve, Name: name}
	err := n.enforce(active, &r, active.policy.Decide(r, n.pins))
	switch {
	case notName != nil:
		return "", &network.LookupError{Name: name, Failure: network.NoSuchHost, Err: notName}
	case err != nil:
		return "", err
	case n.options.Learner != nil:
		n.options.Learner.Request(r)
	}
	return canonical, nil
}

// awaitLookup waits beyond the limit of lookups, if there is one, and counts the lookup that
// follows.
func (n *Network) awaitLookup(ctx context.Context, limit *rate.Limiter) error {
	if limit != nil {
		if err := limit.Wait(ctx); err != nil {
			return err
		}
	}
	n.counters.lookups.Add(1)
	return nil
}

// noteFiltered counts, records and reports the addresses that were removed from an answer.
func (n *Network) noteFiltered(f *policy.Filtered) {
	n.counters.filteredAddrs.Add(uint64(len(f.Removed)))
	if n.options.Audit != nil {
		n.recordFiltered(f)
	}
	if n.options.OnFiltered != nil {
		n.options.OnFiltered(f)
	}
}

// LookupPort needs no permission: it reads a table of the host (services(5)) and sends nothing.
func (n *Network) LookupPort(ctx context.Context, typ network.Type, service string) (uint16,
	error) {
	return n.base.LookupPort(ctx, typ, service)
}
