package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/wasport/wasport/policy"
)

const policyBefore = `wasport policy asks policy files, as wasport run --policy reads them, and formats them.

  wasport policy check FILE ACTION TARGET [from PEER]      say whether it is allowed; exit status 0 if it is, 1 if not
  wasport policy explain FILE ACTION TARGET [from PEER]    say how that comes about, and what would change it
  wasport policy fmt [-w] FILE...                          print the files with each rule as it is usually written

ACTION is connect, listen, join or resolve. TARGET is what a guest would ask for: tcp://ADDRESS:PORT or udp://ADDRESS:PORT, for
connect also with a name, which asks about every public address that it may have; for join an address, for resolve a name. Port 0 of
listen is one of the host's choice.
`

const policyAfter = `
Exit status
      0     it is allowed; or the file is as it should be
      1     it is denied
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
		"`FILE` allow nothing that this file does not allow too")
	formatting.BoolVarP(&f.write, "write", "w", false, "write the files instead of printing them")
	return page{command: "policy", before: policyBefore, after: policyAfter,
		groups: []group{asking, formatting}}
}

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
		return ask(name, f.ceiling, rest)
	case "fmt":
		return format(rest, f.write)
	case "":
		return usage("policy", "say what to do: wasport policy check, explain or fmt")
	}
	return usage("policy", "wasport policy has no %s%s", name,
		didYouMean("", name, []string{"check", "explain", "fmt"}))
}

// ask decides a request.
func ask(name, ceiling string, words []string) error {
	if len(words) < 3 {
		return usage("policy",
			"write wasport policy %s FILE ACTION TARGET, for instance net.toml connect "+
				"tcp://192.0.2.1:443", name)
	}
	file := permissions{file: words[0], ceiling: ceiling}
	p, err := file.policy(nil)
	if err != nil {
		return err
	}
	r, err := parseRequest(words[1:])
	if err != nil {
		return usage("policy", "%w", err)
	}
	d := p.Decide(r, nil)
	if name == "explain" {
		explain(p, r)
	}
	if d.Allowed {
		fmt.Printf("allowed %v: %v\n", r, written(d.Rule))
		return nil
	}
	refusal := p.Explain(r, d)
	fmt.Println(refusal)
	hint := refusal.Hint()
	if len(refusal.Allow) > 0 {
		hint = policy.FileHint(refusal.Allow) + " in " + words[0]
	}
	if hint != "" && name == "explain" {
		fmt.Printf("  to allow it: %s\n", hint)
	}
	return &exit{status: statusFailure}
}

// parseRequest reads a request in the words of a rule: that somebody connects or sends to a
// listener is asked as "listen ... from".
func parseRequest(words []string) (policy.Request, error) {
	if words[0] == "listen" && len(words) > 2 {
		words = append([]string{"accept"}, words[1:]...)
		if strings.HasPrefix(words[1], "udp://") {
			words[0] = "receive"
		}
	}
	return policy.ParseRequest(strings.Join(words, " "))
}

func written(rule *policy.Rule) string {
	return fmt.Sprintf("%q (%v)", rule, rule.Origin())
}

// explain prints how a request is read, and which of the guest's rules are about it.
func explain(p *policy.Policy, r policy.Request) {
	fmt.Printf("asked   %v\n", r)
	everything := policy.AllowNet(policy.Origin{})
	for _, rule := range p.Rules() {
		alone := policy.New([]policy.Rule{rule}, policy.Limits{})
		if rule.Effect() == policy.Deny {
			alone = policy.New(append([]policy.Rule{rule}, everything...), policy.Limits{})
		}
		if d := alone.Decide(r, nil); d.Allowed == (rule.Effect() == policy.Allow) {
			fmt.Printf("matches %s\n", written(&rule))
		}
	}
}

// format prints or writes files in the canonical form.
func format(files []string, write bool) error {
	if len(files) == 0 {
		return usage("policy", "no file is named: wasport policy fmt [-w] FILE...")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return usage("", "policy %s: %w", file, plain(err))
		}
		out, err := policy.Format(file, text)
		if err != nil {
			return usage("", "policy: %w", err)
		}
		switch {
		case !write:
			_, err = os.Stdout.Write(out)
		case !bytes.Equal(text, out):
			err = os.WriteFile(file, out, 0o666)
		}
		if err != nil {
			return fmt.Errorf("policy %s: %w", file, plain(err))
		}
	}
	return nil
}
