package policy

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestMergeIntoFile(t *testing.T) {
	added := mustRules(t, "allow connect tcp://10.0.0.5:80", "allow resolve db.test")
	for _, c := range []struct{ name, text, want string }{
		{"an empty file", "", "allow = [\n  \"connect tcp://10.0.0.5:80\",\n  \"resolve " +
			"db.test\",\n]\n"},
		{"a list with a rule on each line",
			"# Mine.\nallow = [\n    \"connect tcp://a.test:1\", # one\n    # two\n]\ndeny = " +
				"[\"connect link-local\"] # never\n",
			"# Mine.\nallow = [\n    \"connect tcp://a.test:1\", # one\n    # two\n    \"connect " +
				"tcp://10.0.0.5:80\",\n" +
				"    \"resolve db.test\",\n]\ndeny = [\"connect link-local\"] # never\n"},
		{"no comma after the last",
			"allow = [\n  'resolve a.test' # ] one\n]\n",
			"allow = [\n  'resolve a.test', # ] one\n  \"connect tcp://10.0.0.5:80\",\n  " +
				"\"resolve db.test\",\n]\n"},
		{"a list on one line",
			`allow = ["resolve a.test", 'resolve b.test'] # mine`,
			"allow = [\"resolve a.test\", 'resolve b.test',\n  \"connect tcp://10.0.0.5:80\",\n  " +
				"\"resolve db.test\",\n] # mine"},
		{"an empty list", `"allow"=[ ]`,
			"\"allow\"=[ \n  \"connect tcp://10.0.0.5:80\",\n  \"resolve db.test\",\n]"},
		{"a list that ends behind the last rule",
			"allow = [\n\t\"resolve a.test\",\n\t\"resolve b.test\"]\nlimits.sockets = 1\n",
			"allow = [\n\t\"resolve a.test\",\n\t\"resolve b.test\",\n\t\"connect " +
				"tcp://10.0.0.5:80\",\n\t\"resolve db.test\",\n]\nlimits.sockets = 1\n"},
		{"no list before a table",
			"deny = ['join any']\n\n# At once.\n[limits]\nsockets = 3\n",
			"deny = ['join any']\n\nallow = [\n  \"connect tcp://10.0.0.5:80\",\n  \"resolve " +
				"db.test\",\n]\n\n# At once.\n[limits]\nsockets = 3\n"},
		{"no list and no newline", "deny = ['join any']",
			"deny = ['join any']\nallow = [\n  \"connect tcp://10.0.0.5:80\",\n  \"resolve " +
				"db.test\",\n]\n"},
		{"one of them is there", "allow = [\n  \"resolve DB.test.\",\n]\n",
			"allow = [\n  \"resolve DB.test.\",\n  \"connect tcp://10.0.0.5:80\",\n]\n"},
		{"lines that end as on Windows", "allow = [\r\n  \"resolve db.test\",\r\n]\r\n",
			"allow = [\r\n  \"resolve db.test\",\r\n  \"connect tcp://10.0.0.5:80\",\r\n]\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _, err := Merge("net.toml", []byte(c.text), added)
			if err != nil || string(got) != c.want {
				t.Fatalf("got %v\n%q\nwant\n%q", err, got, c.want)
			}
			if again, _, err := Merge("net.toml", got, added); err != nil ||
				!bytes.Equal(again, got) {
				t.Errorf("merged twice: got %v\n%s\nwant it unchanged", err, again)
			}
		})
	}
	for _, c := range []struct{ text, want string }{
		{"# Read me.\n\nThis is no policy.\n", "net.toml:3:"},
		{"deny = [\"connect private\"]", "never matches"},
	} {
		if got, _, err := Merge("net.toml", []byte(c.text), added); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot %q, %v, want an error with %q", c.text, got, err, c.want)
		}
	}
}

// TestMergeChangesNothingElse merges random rules into random files.
func TestMergeChangesNothingElse(t *testing.T) {
	every(t, func(r *rand.Rand) error {
		rules := slices.DeleteFunc(randomRules(r, 8), func(r Rule) bool { return r.effect == Deny })
		cut := r.IntN(len(rules) + 1)
		before := New(rules[:cut], Limits{Sockets: r.IntN(3)})
		text, _, err := Merge("net.toml", before.TOML(), rules)
		if err != nil {
			return err
		}
		after, err := Parse("net.toml", text)
		if err != nil {
			return fmt.Errorf("%v\n%s", err, text)
		}
		for _, rule := range rules {
			if !slices.ContainsFunc(after.Rules(),
				func(o Rule) bool { return o.text == rule.text }) {
				return fmt.Errorf("%v is not in\n%s", rule, text)
			}
		}
		if after.Limits() != before.Limits() ||
			spelled(after.Rules()[:cut]) != spelled(rules[:cut]) {
			return fmt.Errorf("%s\nbecomes\n%s", before.TOML(), text)
		}
		return nil
	})
}

// FuzzMerge merges a rule into each accepted policy file.
func FuzzMerge(f *testing.F) {
	f.Add("# c\nallow = [\n  'resolve *', # ]\n]\n[limits]\nsockets = 3\n")
	f.Add("allow=[]")
	f.Add("limits = { sockets = 0x3 }\n'allow' = ['''listen any from loopback''' ]")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse("f.toml", []byte(text))
		if err != nil {
			return
		}
		rules := mustRules(t, "allow connect tcp://merged.test:443")
		out, _, err := Merge("f.toml", []byte(text), rules)
		if err != nil {
			if strings.Contains(err.Error(), "never matches") {
				return
			}
			t.Fatalf("%q: got %v, want no error", text, err)
		}
		after, err := Parse("f.toml", out)
		if err != nil || after.Limits() != p.Limits() || len(after.Rules()) < len(p.Rules()) ||
			len(after.Rules()) > len(p.Rules())+1 {
			t.Fatalf("%q becomes %q: got %v, want a policy with the rules", text, out, err)
		}
		if again, _, err := Merge("f.toml", out, rules); err != nil || !bytes.Equal(again, out) {
			t.Fatalf("%q becomes %q: got %q, %v when merged again, want it unchanged", text, out,
				again, err)
		}
	})
}
