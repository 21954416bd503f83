package policy_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/wasport/wasport/policy"
)

func ExampleParse() {
	p, err := policy.Parse("net.toml", []byte(`
allow = ["connect tcp://*:443", "resolve *"]
deny = ["connect 93.184.216.0/24"]

[limits]
sockets = 64
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{"connect tcp://8.8.8.8:443", "connect tcp://93.184.216.34:443",
		"connect tcp://10.0.0.5:443"} {
		r, _ := policy.ParseRequest(text)
		d := p.Decide(r, nil)
		if d.Allowed {
			fmt.Printf("allowed by %q, %v\n", d.Rule, d.Rule.Origin())
		} else {
			fmt.Println(p.Explain(r, d))
		}
	}
	// Output:
	// allowed by "allow connect tcp://*:443", net.toml:2:11
	// denied connect tcp 93.184.216.34:443: "deny connect 93.184.216.0/24" (net.toml:3:10) refuses it
	// denied connect tcp 10.0.0.5:443: "*" covers public addresses only, 10.0.0.5 is private
}

func ExampleRules() {
	host := "api.example.com" // such as from the configuration of a plug-in
	rules, err := policy.Rules(
		policy.Connect(policy.TCP, host, 443),
		policy.Connect(policy.UDP, policy.Under("example.com"), 53).PortRange(5000, 5010),
		policy.Connect(policy.TCP|policy.UDP, policy.Metadata).Deny(),
		policy.ListenFrom(policy.TCP, "127.0.0.1", netip.MustParsePrefix("10.0.0.0/8"), 8080),
		policy.Join("224.0.0.251"),
		policy.Resolve(policy.Under("example.org")),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	os.Stdout.Write(policy.New(rules, policy.Limits{Sockets: 64}).TOML())

	host = `api.example.com", "connect any`
	_, err = policy.Rules(policy.Connect(policy.TCP, host, 443))
	fmt.Println(err)
	// Output:
	// allow = [
	//   "connect tcp://api.example.com:443",
	//   "connect udp://*.example.com:53,5000-5010",
	//   "listen tcp://127.0.0.1:8080 from 10.0.0.0/8",
	//   "join 224.0.0.251",
	//   "resolve *.example.org",
	// ]
	// deny = [
	//   "connect metadata",
	// ]
	//
	// [limits]
	// sockets = 64
	// policy.Connect: "api.example.com\", \"connect any" is not one host; pass a value for each rule
}

func ExampleParse_mistakes() {
	_, err := policy.Parse("net.toml", []byte(`
allow = ["connect *example.com:443", "listen tcp://127.0.0.1:9000-8000"]
`))
	fmt.Println(err)
	// Output:
	// net.toml:2:19: "*example.com" would also match "evilexample.com"; write "*.example.com" for the names under it, and "example.com" for itself
	// net.toml:2:62: the range 9000-8000 is the wrong way round; write 8000-9000
}

func ExamplePolicy_Explain() {
	rules, _ := policy.ParseTargets(policy.Allow, policy.ActionConnect, "*",
		policy.Origin{Source: "--allow-connect"})
	p := policy.New(rules, policy.Limits{})
	r := policy.Request{Op: policy.OpConnect, Protocol: policy.TCP,
		Remote: netip.MustParseAddrPort("10.0.0.5:5432")}
	if refusal := p.Explain(r, p.Decide(r, nil)); refusal != nil {
		fmt.Println(refusal)
		fmt.Println("to allow it:", refusal.Hint())
		fmt.Println(errors.Is(refusal, syscall.EACCES))
	}
	// Output:
	// denied connect tcp 10.0.0.5:5432: "*" covers public addresses only, 10.0.0.5 is private
	// to allow it: --allow-connect tcp://10.0.0.5:5432
	// true
}

func ExamplePolicy_Answer() {
	rules, _ := policy.ParseTargets(policy.Allow, policy.ActionConnect, "tcp://api.example.com:443",
		policy.Origin{})
	p := policy.New(rules, policy.Limits{})
	pins := policy.NewPins(time.Now)

	// The guest looks the name up, and the answer holds an address that it must not reach this way.
	kept, removed := p.Answer(pins, "api.example.com", policy.AnyFamily,
		[]netip.Addr{netip.MustParseAddr("93.184.216.34"), netip.MustParseAddr("127.0.0.1")})
	fmt.Println(kept, removed)

	r := policy.Request{Op: policy.OpConnect, Protocol: policy.TCP,
		Remote: netip.MustParseAddrPort("93.184.216.34:443")}
	d := p.Decide(r, pins)
	fmt.Println(d.Allowed, d.Name)
	// Output:
	// [93.184.216.34] [127.0.0.1]
	// true api.example.com
}

func ExampleLearner() {
	var l policy.Learner
	l.Request(policy.Request{Op: policy.OpResolve, Name: "api.example.com"})
	l.Lookup("api.example.com", []netip.Addr{netip.MustParseAddr("93.184.216.34")})
	l.Request(policy.Request{Op: policy.OpConnect, Protocol: policy.TCP,
		Remote: netip.MustParseAddrPort("93.184.216.34:443")})
	os.Stdout.Write(policy.New(l.Rules(), policy.Limits{}).TOML())
	// Output:
	// allow = [
	//   "connect tcp://api.example.com:443",
	// ]
}
