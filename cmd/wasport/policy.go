package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/wasport/wasport/policy"
)

const policyBefore = `wasport policy checks, explains and formats policy files, which wasport run --policy reads.

  wasport policy check FILE ACTION TARGET [from PEER]     say whether a policy allows a request
  wasport policy explain FILE ACTION TARGET [from PEER]   print also the rules that match
  wasport policy fmt [-w] FILE...                         print files with rules in canonical form

ACTION is connect, listen, join or resolve. TARGET is tcp://ADDRESS:PORT or udp://ADDRESS:PORT for
connect and listen, an address for join, and a name for resolve. For connect, ADDRESS may be a name,
which stands for every public address that it may have. For listen, port 0 is a port of the host's
choice.
`

const policyAfter = `
Exit status
      0     the policy allows the request; fmt succeeded
      1     the policy denies the request
      2     the command line or a file is wrong

Example
      wasport policy check net.toml connect tcp://api.example.com:443
`

type policyFlags struct {
	ceiling string
	write   bool
}

func (f *policyFlags) page() page {
	asking, formatting := newGroup("Flags of check and explain"), newGroup("Flags of fmt")
	asking.StringVar(&f.ceiling, "policy-ceiling", "",
		"`FILE` deny everything that this policy file does not allow")
	formatting.BoolVarP(&f.write, "write", "w", false, "write the files instead of printing them")
	return page{command: "policy", before: policyBefore, after: policyAfter,
		groups: []group{asking, formatting}}
}

// runPolicy is the subcommand policy.
func runPolicy(args []string) error {
	var f policyFlags
	name := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	}
	p := f.page()
	switch name {
	case "check", "explain":
		p.groups = p.groups[:1]
	case "fmt":
		p.groups = p.groups[1:]
	}
	rest, done, err := p.parse(args)
	if done || err != nil {
		return err
	}
	switch name {
	case "check", "explain":
		return decideRequest(name, f.ceiling, rest)
	case "fmt":
		return formatFiles(rest, f.write)
	case "":
		return usageError("policy", "say what to do: wasport policy check, explain or fmt")
	}
	return usageError("policy", "wasport policy has no %s%s", name,
		cmp.Or(didYouMean("", name, []string{"check", "explain", "fmt"}),
			"; write check, explain or fmt, and then the file"))
}

// decideRequest is check and explain.
func decideRequest(name, ceiling string, words []string) error {
	if len(words) < 3 {
		return usageError("policy",
			"write wasport policy %s FILE ACTION TARGET, for instance net.toml connect "+
				"tcp://192.0.2.1:443", name)
	}
	files := permissions{file: words[0], ceiling: ceiling}
	p, err := files.build(nil)
	if err != nil {
		return err
	}
	r, err := parseRequest(words[1:])
	if err != nil {
		return usageError("policy", "%w", err)
	}
	d := p.Decide(r, nil)
	if name == "explain" {
		printMatches(p, r)
	}
	if d.Allowed {
		fmt.Fprintf(stdout, "allowed %v: %v\n", r, quoteRule(d.Rule))
		return nil
	}
	refusal := p.Explain(r, d)
	fmt.Fprintln(stdout, refusal)
	hint := refusal.Hint()
	if len(refusal.Allow) > 0 {
		hint = policy.FileHint(refusal.Allow) + " in " + words[0]
	}
	if hint != "" && name == "explain" {
		fmt.Fprintf(stdout, "  to allow it: %s\n", hint)
	}
	return &exitError{status: statusFailure}
}

// requestActions are the words that a request begins with: those of the help, and those of package
// policy, in which requests are printed.
var requestActions = []string{"connect", "listen", "join", "resolve", "bind", "accept", "receive"}

// parseRequest parses a request in the words of a rule. "listen TARGET from PEER" is a peer's
// connection or datagram, for which package policy has the words accept and receive.
func parseRequest(words []string) (policy.Request, error) {
	if !slices.Contains(requestActions, words[0]) {
		return policy.Request{}, fmt.Errorf("%q is not an action%s", words[0],
			cmp.Or(didYouMean("", words[0], requestActions[:4]),
				"; write connect, listen, join or resolve"))
	}
	if words[0] == "listen" && len(words) > 2 {
		if words[2] != "from" || len(words) != 4 {
			return policy.Request{}, fmt.Errorf("%q is not one request; write listen "+
				"tcp://127.0.0.1:80 from 10.0.0.7", strings.Join(words, " "))
		}
		words = append([]string{"accept"}, words[1:]...)
		if strings.HasPrefix(words[1], "udp://") {
			words[0] = "receive"
		}
	}
	return policy.ParseRequest(strings.Join(words, " "))
}

// quoteRule formats a rule and its origin.
func quoteRule(rule *policy.Rule) string {
	return fmt.Sprintf("%q (%v)", rule, rule.Origin())
}

// printMatches prints a request as it was parsed, and the rules that match it. A rule matches if it
// decides the request alone or, for a deny, beside a rule that allows everything.
func printMatches(p *policy.Policy, r policy.Request) {
	fmt.Fprintf(stdout, "asked   %v\n", r)
	everything := append(policy.AllowNet(policy.Origin{}), policy.AllowUnix(policy.Origin{})...)
	for _, rule := range p.Rules() {
		alone := policy.New([]policy.Rule{rule}, policy.Limits{})
		if rule.Effect() == policy.Deny {
			alone = policy.New(append([]policy.Rule{rule}, everything...), policy.Limits{})
		}
		if d := alone.Decide(r, nil); d.Allowed == (rule.Effect() == policy.Allow) {
			fmt.Fprintf(stdout, "matches %s\n", quoteRule(&rule))
		}
	}
}

// formatFiles prints files in canonical form, or writes those that differ from it.
func formatFiles(files []string, write bool) error {
	if len(files) == 0 {
		return usageError("policy", "no file is named: wasport policy fmt [-w] FILE...")
	}
	for _, file := range files {
		text, err := readFile(file, maxPolicySize, "")
		if err != nil {
			return usageError("", "policy %s: %w", file, plainError(err))
		}
		out, err := policy.Format(file, text)
		if err != nil {
			return usageError("", "policy: %w", err)
		}
		switch {
		case !write:
			_, err = stdout.Write(out)
		case !bytes.Equal(text, out):
			err = os.WriteFile(file, out, 0o666)
		}
		if err != nil {
			return fmt.Errorf("policy %s: %w", file, plainError(err))
		}
	}
	return nil
}
