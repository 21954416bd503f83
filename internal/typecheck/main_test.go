package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// module is a module with a mistake for each of some targets.
var module = map[string]string{
	"go.mod":                "module example.com/m\n\ngo 1.26\n",
	"a.go":                  "package a\n\nimport \"os\"\n\nvar Args = os.Args\n",
	"a_openbsd.go":          "package a\n\nfunc body() { missing() }\n",
	"a_netbsd_test.go":      "package a\n\nvar _ int = Args\n",
	"a_dragonfly.go":        "package a\n\nimport \"net\"\n",
	"a_windows.go":          "package a\n\nvar _ = \n",
	"a_solaris.go":          "package a\n\nimport _ \"example.com/m/none\"\n",
	"a_arm_test.go":         "package a_test\n\nvar _ int = 1 << 31\n",
	"a_arm64_test.go":       "package a_test\n\nvar _ int = 1 << 31\n",
	"b/b_freebsd.go":        "package b\n\nimport \"example.com/m\"\n\nvar _ = a.Absent\n",
	"d/d_plan9.go":          "package d\n\nimport _ \"embed\"\n\n//go:embed none\nvar _ string\n",
	"testdata/ignored/x.go": "package x\n\nvar _ = missing\n",
}

func TestCheckTarget(t *testing.T) {
	dir := t.TempDir()
	for name, text := range module {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ target, want string }{
		{"linux/amd64", ""},
		{"linux/arm64", ""},
		{"linux/arm", "a_arm_test.go:3:13: cannot use 1 << 31"},
		{"openbsd/amd64", "a_openbsd.go:3:15: undefined: missing"},
		{"netbsd/amd64", "a_netbsd_test.go:3:13: cannot use Args"},
		{"dragonfly/amd64", `a_dragonfly.go:3:8: "net" imported and not used`},
		{"windows/amd64", "a_windows.go:3:10: expected operand"},
		{"solaris/amd64", "example.com/m/none"},
		{"freebsd/amd64", "undefined: a.Absent"},
		{"plan9/amd64", "pattern none: no matching files found"},
		{"linux/z80", "does not know the processor"},
		{"linux", "want SYSTEM/PROCESSOR"},
	} {
		t.Run(strings.ReplaceAll(test.target, "/", " "), func(t *testing.T) {
			err := errors.Join(checkTarget(newSources(), dir, test.target)...)
			if test.want == "" && err != nil {
				t.Errorf("got %v, want no error", err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}
