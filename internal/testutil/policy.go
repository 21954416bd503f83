// Package testutil holds helpers that tests of several packages need: policies, differences of
// outputs, namespaces and processor time. A helper of one package stays in that package; programs
// that a machine may lack belong to package needs. Its functions may be called from several
// goroutines.
package testutil

import (
	"testing"

	"github.com/wasport/wasport/policy"
)

// Policy returns a policy of rules without limits. A rule that does not parse fails the test.
func Policy(t testing.TB, rules ...string) *policy.Policy {
	t.Helper()
	var list []policy.Rule
	for _, text := range rules {
		r, err := policy.ParseRule(text, policy.Origin{Source: "test"})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return policy.New(list, policy.Limits{})
}
