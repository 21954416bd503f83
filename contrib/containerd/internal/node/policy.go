package node

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/wasport/wasport/policy"
)

// MaxPolicy bounds the text of a pod's policy, in bytes.
const MaxPolicy = 1 << 20

// rangeName is the place of a range in a rule. token is a comment of TOML, or a string in one line.
var (
	rangeName = regexp.MustCompile(`@[A-Za-z0-9_-]+`)
	token     = regexp.MustCompile(`#[^\n]*|"[^"\n]*"|'[^'\n]*'`)
)

// Policy returns the policy of a guest: the text of its pod, called by name in errors, or nil.
// Nothing that the text says reaches beyond the ceiling.
func (c *Config) Policy(name string, text *string) (*policy.Policy, error) {
	if text == nil {
		name, text = "default_policy of the node", c.DefaultPolicy
	}
	if text == nil {
		return policy.New(nil, policy.Limits{}), nil
	}
	if len(*text) > MaxPolicy {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, MaxPolicy)
	}
	own, err := c.parse(name, *text)
	if err != nil || c.Ceiling == nil {
		return own, err
	}
	ceiling, err := c.parse("ceiling of the node", *c.Ceiling)
	if err != nil {
		return nil, err
	}
	return policy.All(own, ceiling), nil
}

// parse parses a policy with names of ranges.
func (c *Config) parse(name, text string) (*policy.Policy, error) {
	expanded, err := c.expand(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return policy.Parse(name, []byte(expanded))
}

// expand puts a rule for each range of a name in the place of a rule with the name. Lines stay, so
// that errors name those of the text. Where the rules of a name would take more than MaxPolicy
// bytes, it fails.
func (c *Config) expand(text string) (string, error) {
	var failed error
	size := len(text)
	out := token.ReplaceAllStringFunc(text, func(s string) string {
		at := rangeName.FindString(s)
		if at == "" || s[0] == '#' || failed != nil {
			return s
		}
		ranges, ok := c.Ranges[at[1:]]
		if !ok {
			failed = fmt.Errorf("the node has no range %s; [ranges] of its configuration has %s",
				at, cmp.Or(strings.Join(slices.Sorted(maps.Keys(c.Ranges)), ", "), "none"))
			return s
		}
		var list []string
		for _, r := range ranges {
			host := r.String()
			if r.Addr().Is6() {
				host = "[" + host + "]"
			}
			list = append(list, strings.Replace(s, at, host, 1))
		}
		joined := strings.Join(list, ", ")
		if size += len(joined); size > 2*MaxPolicy {
			failed = fmt.Errorf("with the ranges of %s it is too large", at)
			return s
		}
		return joined
	})
	return out, failed
}
