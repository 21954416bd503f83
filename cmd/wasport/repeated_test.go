package main

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// flagValues has values that flags accept, for those that do not accept "a".
var flagValues = map[string]string{
	"resolver": "127.0.0.1:53", "metrics": "127.0.0.1:0", "timeout": "1s", "max-cpu": "1s",
	"max-memory": "64MiB", "max-threads": "1", "max-descriptors": "9",
	"max-socket-memory": "1MiB", "unknown-imports": "trap",
	"env": "A=a", "map-dir": "/a::/", "listen": "tcp://127.0.0.1:0", "hosts": "a.test=127.0.0.1",
	"allow-connect": "127.0.0.1", "allow-listen": "127.0.0.1", "allow-join": "224.0.0.9",
	"deny-connect": "127.0.0.1", "deny-listen": "127.0.0.1", "deny-join": "224.0.0.9",
	"addr-pool": "127.0.0.1/8", "without": "all",
}

// TestFlagsHaveOneValue gives each flag of each command twice. Only those whose help or whose group
// says that they are repeatable take both.
func TestFlagsHaveOneValue(t *testing.T) {
	for _, c := range commands() {
		for _, g := range c.page().groups {
			g.VisitAll(func(f *pflag.Flag) {
				t.Run(c.name+"/"+f.Name, func(t *testing.T) {
					name, summary := describe(f)
					first, second := "a", "a"
					if v := flagValues[f.Name]; v != "" {
						first, second = v, v
					}
					if name == "" {
						first, second = "true", "false"
					}
					p := c.page()
					_, _, err := p.parse([]string{"--" + f.Name + "=" + first,
						"--" + f.Name + "=" + second})
					repeatable := strings.HasSuffix(summary, "(repeatable)") ||
						f.Name == "map-dir" || f.Name == "addr-pool" ||
						name == "RULE" || name == "NAME" && strings.HasSuffix(f.Name, "-resolve")
					want := "--" + f.Name + " is given twice: write "
					switch {
					case repeatable && err != nil:
						t.Errorf("got %v, want no error", err)
					case !repeatable && (err == nil || !strings.HasPrefix(err.Error(), want) ||
						reportError(err) != statusUsage):
						t.Errorf("got %v, want status 2 and %s...", err, want)
					}
				})
			})
		}
	}
}

// TestSwitchMayBeRepeated gives a flag that is on or off the same value twice.
func TestSwitchMayBeRepeated(t *testing.T) {
	_, _, err := new(runFlags).page().parse([]string{"--no-cache", "--no-cache"})
	if err != nil {
		t.Errorf("got %v, want no error", err)
	}
}
