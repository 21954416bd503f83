package main

import (
	"strings"
	"testing"
)

func loadTree(t *testing.T) []*file {
	t.Helper()
	tree, err := load(".")
	if err != nil {
		t.Skipf("the rules are about the files that Git lists (package git, and a clone): %v", err)
	}
	return tree
}

func TestTreeKeepsRules(t *testing.T) {
	for _, b := range check(loadTree(t)) {
		t.Error(b)
	}
}

// The bounds are those of the codebases that docs/architecture.md names as models.
func TestFiguresKeepBounds(t *testing.T) {
	s := measure(loadTree(t))
	if got, want := quantile(s.commentWidths, 95), maxColumns; got > want {
		t.Errorf("p95 of comment width: got %d, want at most %d", got, want)
	}
	if got, want := perThousand(s.who, s.words), 0.3; got > want {
		t.Errorf(`"who" per 1,000 comment words: got %.2f, want at most %.1f`, got, want)
	}
	if got, want := perThousand(s.what, s.words), 0.7; got > want {
		t.Errorf(`"what" per 1,000 comment words: got %.2f, want at most %.1f`, got, want)
	}
	if got, want := perThousand(s.references, s.words), 4.0; got < want {
		t.Errorf("references per 1,000 comment words: got %.2f, want at least %.1f", got, want)
	}
	if got, want := percent(s.failuresWithWant, s.failures), 50.0; got < want {
		t.Errorf("failure messages with want: got %.0f %%, want at least %.0f %%", got, want)
	}
}

func TestCheckFindsBrokenRules(t *testing.T) {
	long := strings.Repeat("x", maxColumns-3)
	for _, test := range []struct{ name, path, text, want string }{
		{"wide code", "a/b.go", "// Package b.\npackage b\n\nvar a = " + long + "\n", "columns"},
		{"wide comment behind tabs", "a/b.go",
			"// Package b.\npackage b\n\nfunc f() {\n\t// " + long + "\n}\n", "columns"},
		{"wide prose", "a.md", "xxx " + long + "\n", "columns"},
		{"wide C", "a.c", "// x " + long + "\n", "columns"},
		{"banned word in a comment", "a/b.go", "// Package b is for whoever.\npackage b\n",
			`"whoever"`},
		{"banned word in prose", "a.md", "for whoever\n", `"whoever"`},
		{"no package comment", "a/b.go", "package b\n", "no doc comment"},
		{"long function", "a/b.go",
			"// Package b.\npackage b\n\nfunc f() {\n" + strings.Repeat("\tf()\n", 70) + "}\n",
			"f has 72 lines"},
		{"identifier beyond ASCII", "a/b.go", "// Package b.\npackage b\n\nvar µs int\n",
			"not ASCII"},
		{"shadowed by :=", "a/b.go",
			"// Package b.\npackage b\n\nfunc f() {\n\tmax := 1\n\t_ = max\n}\n", "hides"},
		{"shadowed by a parameter", "a/b.go",
			"// Package b.\npackage b\n\nfunc f(any int) {}\n", "hides"},
		{"branch by system", "a/b.go",
			"// Package b.\npackage b\n\nvar a = runtime.GOOS\n", "runtime.GOOS"},
		{"system, in a test", "a/b_test.go",
			"package b\n\nvar a = system.GOOS\n", "runtime.GOOS"},
		{"system under another name", "a/b.go",
			"//go:build linux && !portable\n\n// Package b.\npackage b\n", "named for them"},
		{"long glossary", "docs/architecture.md", "# A\n\n| a | b |\n\n## Words\n" +
			strings.Repeat("| word | meaning |\n", maxGlossary+3), "26 words"},
		{"test in the root", "guest_test.go", "package wasport_test\n", "example_test.go"},
		{"goroutine in memory", "network/virtual/a.go",
			"// Package virtual.\npackage virtual\n\nfunc f() { go f() }\n", "goroutine"},
		{"goroutine of a group", "network/virtual/a.go",
			"// Package virtual.\npackage virtual\n\nfunc f() { all.Go(f) }\n", "goroutine"},
		{"long example", "examples/inmemory/main.go", "// Command inmemory.\npackage main\n\n" +
			"func handlerOf() {\n" + strings.Repeat("\tf()\n", maxHandlerLines-1) + "}\n",
			"handlerOf has 40 lines"},
		{"long file", "a/b.go",
			"// Package b.\npackage b\n" + strings.Repeat("\n", maxFileLines) + "var a int\n",
			"lines"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := checkText(t, test.path, test.text)
			if len(got) != 1 || !strings.Contains(got[0].rule, test.want) {
				t.Errorf("got %v, want one about %s", got, test.want)
			}
		})
	}
}

func TestCheckAcceptsExceptions(t *testing.T) {
	long := strings.Repeat("x", maxColumns)
	for _, test := range []struct{ name, path, text string }{
		{"table row", "a.md", "| " + long + " |\n"},
		{"address", "a.md", "see https://example.com/" + long + "\n"},
		{"output in a document", "a.md", "```console\n" + long + "\n```\n"},
		{"raw string", "a/b.go", "// Package b.\npackage b\n\nvar a = `\n" + long + "`\n"},
		{"expected output", "a/b.go", "// Package b.\npackage b\n\n// Output:\n// " + long + "\n"},
		{"table in a test", "a/b_test.go", "package b\n\nfunc f() {\n\ta := []int{\n" +
			strings.Repeat("\t\t1,\n", 80) + "\t}\n}\n"},
		{"file for some systems", "a/b_unix.go",
			"//go:build unix && !linux\n\n// Package b.\npackage b\n"},
		{"tag that is no system", "a/b.go", "//go:build portable\n\n// Package b.\npackage b\n"},
		{"glossary", "docs/architecture.md", "## Words\n" +
			strings.Repeat("| word | meaning |\n", maxGlossary+2) + "\n## Models\n\n| c | d |\n"},
		{"examples of the root", "example_test.go", "package wasport_test\n"},
		{"goroutines beyond the gateway", "network/virtual/gateway.go",
			"// Package virtual.\npackage virtual\n\nfunc f() { go f() }\n"},
		{"field named max", "a/b.go", "// Package b.\npackage b\n\ntype t struct{ max int }\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := checkText(t, test.path, test.text); len(got) > 0 {
				t.Errorf("got %v, want nothing", got)
			}
		})
	}
}

func checkText(t *testing.T, path, text string) []broken {
	t.Helper()
	f, err := parse(path, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return check([]*file{f})
}
