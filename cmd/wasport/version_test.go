package main

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersionLine(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	for _, test := range []struct {
		name string
		info *debug.BuildInfo
		want string // the beginning
	}{
		{"no build info", nil, "wasport (unknown), wazero (unknown), go1."},
		{"of a module by go install", &debug.BuildInfo{
			Main: debug.Module{Version: "v0.2.0"},
			Deps: []*debug.Module{{Path: "github.com/tetratelabs/wazero", Version: "v1.2.3"}},
		}, "wasport v0.2.0, wazero v1.2.3, go1."},
		{"of a release", &debug.BuildInfo{
			Main:     debug.Module{Version: "v0.2.0"},
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: commit}},
		}, "wasport v0.2.0, commit " + commit + ", wazero "},
		{"in a clone with changes", &debug.BuildInfo{
			Main: debug.Module{Version: "(devel)"},
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: commit},
				{Key: "vcs.modified", Value: "true"}},
		}, "wasport (devel), commit " + commit + " with changes, wazero "},
		{"in a clone with changes, which the version tells", &debug.BuildInfo{
			Main: debug.Module{Version: "v0.2.1-0.2026+dirty"},
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: commit},
				{Key: "vcs.modified", Value: "true"}},
		}, "wasport v0.2.1-0.2026+dirty, commit " + commit + ", wazero "},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := versionLine(test.info); !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q, want a beginning of %q", got, test.want)
			}
		})
	}
}
