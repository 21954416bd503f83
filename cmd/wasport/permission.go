package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/hostpath"
	"github.com/wasport/wasport/policy"
)

// permissions holds the flags that grant and deny a guest the network.
type permissions struct {
	rules                 []policy.Rule
	file, ceiling         string
	allowLookup, allowNet bool

	// writable are the directories that the guest may write to. No policy is read from them.
	writable hostpath.Dirs
}

func (p *permissions) group() group {
	g := newGroup("Network permissions")
	g.note = `  RULE is [tcp://|udp://]HOST[:PORTS]. HOST is an address, a range such as 10.0.0.0/8, a name,
  *.NAME, a group (loopback, private, link-local, metadata, multicast, broadcast, public), * for
  every public address, or any for every address. PORTS is 443, 80,443 or 8000-8999. A listen rule
  may end with "from PEER" and then admits only these peers. NAME is a name, *.NAME or *. Flags
  with a RULE or NAME are repeatable, and a value may hold several, separated by spaces. A deny
  overrides every allow.
`
	g.list("allow-connect", "`RULE` allow it to connect and send to this destination",
		p.ruleFlag(policy.Allow, policy.ActionConnect, "--allow-connect"))
	g.list("allow-listen", "`RULE` allow it to bind and listen at this address",
		p.ruleFlag(policy.Allow, policy.ActionListen, "--allow-listen"))
	g.list("allow-join", "`RULE` allow it to join this multicast group",
		p.ruleFlag(policy.Allow, policy.ActionJoin, "--allow-join"))
	g.list("allow-resolve", "`NAME` allow it to look up this name", func(s string) error {
		return p.addRules(policy.AllowResolve(s, policy.Origin{Source: "--allow-resolve"}))
	})
	g.list("deny-connect", "`RULE` never allow it to connect and send to this destination",
		p.ruleFlag(policy.Deny, policy.ActionConnect, "--deny-connect"))
	g.list("deny-listen", "`RULE` never allow it to bind and listen at this address",
		p.ruleFlag(policy.Deny, policy.ActionListen, "--deny-listen"))
	g.list("deny-join", "`RULE` never allow it to join this multicast group",
		p.ruleFlag(policy.Deny, policy.ActionJoin, "--deny-join"))
	g.list("deny-resolve", "`NAME` never allow it to look up this name",
		p.ruleFlag(policy.Deny, policy.ActionResolve, "--deny-resolve"))
	g.StringVar(&p.file, "policy", "", "`FILE` add the rules of a policy file")
	g.StringVar(&p.ceiling, "policy-ceiling", "",
		"`FILE` deny everything that this policy file does not allow")
	g.list("addr-pool", "`ADDR/MASK[,...]` allow connect, listen and join in these ranges, as "+
		"iwasm does", func(s string) error {
		return p.addRules(policy.AddrPool(s, policy.Origin{Source: "--addr-pool"}))
	})
	g.BoolVar(&p.allowLookup, "allow-ns-lookup", false,
		"allow it to look up every name, as iwasm does")
	g.BoolVar(&p.allowNet, "allow-net", false, "allow all network access")
	return g
}

// ruleFlag returns the parser of a flag with rules of an effect and an action.
func (p *permissions) ruleFlag(effect policy.Effect, action policy.Action,
	flag string) func(string) error {
	return func(s string) error {
		rules, err := policy.ParseTargets(effect, action, s, policy.Origin{Source: flag})
		return p.addRules(rules, nil, err)
	}
}

func (p *permissions) addRules(rules []policy.Rule, warnings []string, err error) error {
	p.rules = append(p.rules, rules...)
	for _, w := range warnings {
		warnf("%s", w)
	}
	return err
}

// hasFiles reports whether SIGHUP has a file to read again.
func (p *permissions) hasFiles() bool { return p.file != "" || p.ceiling != "" }

// build reads the files and combines them with the flags. While a run is learnt from, l is its
// file, and build allows everything that no deny, also of l, and no ceiling forbids.
func (p *permissions) build(l *learnFile) (*policy.Policy, error) {
	rules, limits := slices.Clone(p.rules), policy.Limits{}
	if p.allowLookup {
		lookups, _, err := policy.AllowResolve("*", policy.Origin{Source: "--allow-ns-lookup"})
		if err != nil {
			return nil, err
		}
		rules = append(rules, lookups...)
	}
	if p.file != "" {
		file, err := p.readFile(p.file)
		if err != nil {
			return nil, err
		}
		rules, limits = append(file.Rules(), rules...), file.Limits()
	}
	switch {
	case l != nil:
		rules = slices.DeleteFunc(rules,
			func(r policy.Rule) bool { return r.Effect() == policy.Allow })
		from := policy.Origin{Source: "--learn"}
		rules = slices.Concat(rules, l.denies(), policy.AllowNet(from), policy.AllowUnix(from))
	case p.allowNet:
		rules = append(rules, policy.AllowNet(policy.Origin{Source: "--allow-net"})...)
	}
	combined := policy.New(rules, limits)
	if p.ceiling != "" {
		ceiling, err := p.readFile(p.ceiling)
		if err != nil {
			return nil, err
		}
		combined = policy.All(combined, ceiling)
	}
	return combined, nil
}

// reload reads the files again. If it cannot read one of them, the policy of the guest stays.
func (p *permissions) reload(g *wasport.Guest, l *learnFile) {
	combined, err := p.build(l)
	if err != nil {
		warnf("the policy stays as it is: %v", err)
		return
	}
	g.SetPolicy(combined)
	files := slices.DeleteFunc([]string{p.file, p.ceiling}, func(s string) bool { return s == "" })
	printMessage(fmt.Sprintf("read %s again; it holds from now on", strings.Join(files, " and ")))
}

// readFile reads a policy. It checks the path each time, since a symbolic link may lead into a
// writable directory by the time of a reload.
func (p *permissions) readFile(file string) (*policy.Policy, error) {
	if err := checkOutside(p.writable, file, permissionsDanger); err != nil {
		return nil, usageError("", "policy %w", err)
	}
	text, err := readFile(file, maxPolicySize, "")
	if err != nil {
		return nil, usageError("", "policy %s: %w", file, plainError(err))
	}
	parsed, err := policy.Parse(file, text)
	if err != nil {
		return nil, usageError("", "policy: %w", err)
	}
	return parsed, nil
}
