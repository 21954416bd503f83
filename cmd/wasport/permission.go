package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/hostpath"
	"github.com/wasport/wasport/policy"
)

// permissions is what the flags say of what a guest may do on the network.
type permissions struct {
	rules                 []policy.Rule
	file, ceiling         string
	allowLookup, allowNet bool

	apart hostpath.Dirs // of the program, where no policy is read
}

func (p *permissions) group() group {
	g := newGroup("Permissions, each repeatable")
	g.note = `  RULE is [tcp://|udp://]HOST[:PORTS], where HOST is an address, a CIDR such as 10.0.0.0/8, a name, *.NAME, a group (loopback,
  private, link-local, metadata, multicast, broadcast, public), * for every public address, or any; a rule of listen may go on
  with "from" and who may connect. NAME is a name, *.NAME, or *. A value may hold several, separated by spaces. A deny always wins.
`
	g.Func("allow-connect", "`RULE` let it connect and send there",
		p.rule(policy.Allow, policy.Connect, "--allow-connect"))
	g.Func("allow-listen", "`RULE` let it bind and listen there",
		p.rule(policy.Allow, policy.Listen, "--allow-listen"))
	g.Func("allow-join", "`RULE` let it join a multicast group",
		p.rule(policy.Allow, policy.Join, "--allow-join"))
	g.Func("allow-resolve", "`NAME` let it look a name up", func(s string) error {
		return p.add(policy.AllowResolve(s, policy.Origin{Source: "--allow-resolve"}))
	})
	g.Func("deny-connect", "`RULE` never let it connect or send there",
		p.rule(policy.Deny, policy.Connect, "--deny-connect"))
	g.Func("deny-listen", "`RULE` never let it bind or listen there",
		p.rule(policy.Deny, policy.Listen, "--deny-listen"))
	g.Func("deny-join", "`RULE` never let it join a multicast group",
		p.rule(policy.Deny, policy.Join, "--deny-join"))
	g.Func("deny-resolve", "`NAME` never let it look a name up",
		p.rule(policy.Deny, policy.Resolve, "--deny-resolve"))
	g.StringVar(&p.file, "policy", "", "`FILE` take the rules of a file as well")
	g.StringVar(&p.ceiling, "policy-ceiling", "",
		"`FILE` allow nothing that this file does not allow too")
	g.Func("addr-pool", "`ADDR/MASK[,...]` let it connect, listen and join there, as iwasm does",
		func(s string) error {
			return p.add(policy.AddrPool(s, policy.Origin{Source: "--addr-pool"}))
		})
	g.BoolVar(&p.allowLookup, "allow-ns-lookup", false, "let it look every name up, as iwasm does")
	g.BoolVar(&p.allowNet, "allow-net", false, "let it do everything")
	return g
}

// rule is the flag of an effect and an action.
func (p *permissions) rule(effect policy.Effect, action policy.Action,
	flag string) func(string) error {
	return func(s string) error {
		rules, err := policy.ParseTargets(effect, action, s, policy.Origin{Source: flag})
		return p.add(rules, nil, err)
	}
}

func (p *permissions) add(rules []policy.Rule, warnings []string, err error) error {
	p.rules = append(p.rules, rules...)
	for _, w := range warnings {
		warn("%s", w)
	}
	return err
}

// hasFiles reports whether there is anything to read again.
func (p *permissions) hasFiles() bool { return p.file != "" || p.ceiling != "" }

// policy puts the flags and the files together. For a lesson, everything is allowed that no deny,
// also of its file, and no ceiling forbids.
func (p *permissions) policy(l *lesson) (*policy.Policy, error) {
	rules, limits := slices.Clone(p.rules), policy.Limits{}
	if p.allowLookup {
		all, _, err := policy.AllowResolve("*", policy.Origin{Source: "--allow-ns-lookup"})
		if err != nil {
			return nil, err
		}
		rules = append(rules, all...)
	}
	if p.file != "" {
		file, err := p.read(p.file)
		if err != nil {
			return nil, err
		}
		rules, limits = append(file.Rules(), rules...), file.Limits()
	}
	switch {
	case l != nil:
		rules = slices.DeleteFunc(rules,
			func(r policy.Rule) bool { return r.Effect() == policy.Allow })
		rules = slices.Concat(rules, l.denies(), policy.AllowNet(policy.Origin{Source: "--learn"}))
	case p.allowNet:
		rules = append(rules, policy.AllowNet(policy.Origin{Source: "--allow-net"})...)
	}
	all := policy.New(rules, limits)
	if p.ceiling != "" {
		ceiling, err := p.read(p.ceiling)
		if err != nil {
			return nil, err
		}
		all = policy.All(all, ceiling)
	}
	return all, nil
}

// reload reads the files again. If one cannot be read, what was read before goes on to hold.
func (p *permissions) reload(g *wasport.Guest, l *lesson) {
	all, err := p.policy(l)
	if err != nil {
		warn("the policy stays as it is: %v", err)
		return
	}
	g.SetPolicy(all)
	files := slices.DeleteFunc([]string{p.file, p.ceiling}, func(s string) bool { return s == "" })
	say(fmt.Sprintf("wasport: read %s again; it holds from now on\n", strings.Join(files, " and ")))
}

// read reads a policy, also again, unless the program could have written it meanwhile.
func (p *permissions) read(file string) (*policy.Policy, error) {
	if err := checkApart(p.apart, file, "give itself other permissions"); err != nil {
		return nil, usage("", "policy %w", err)
	}
	return readPolicy(file)
}

func readPolicy(file string) (*policy.Policy, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, usage("", "policy %s: %w", file, plain(err))
	}
	p, err := policy.Parse(file, text)
	if err != nil {
		return nil, usage("", "policy: %w", err)
	}
	return p, nil
}
