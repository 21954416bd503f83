package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`^#{1,6} +(.*)$`)
	linkText = regexp.MustCompile(`\[([^]]*)\]\([^)]*\)`)
	notSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestLinksLeadToFiles checks that the relative links of every document lead to files that exist,
// and their anchors to headings.
func TestLinksLeadToFiles(t *testing.T) {
	anchors := make(map[string]map[string]bool)
	tree := loadTree(t)
	for _, f := range tree {
		if f.isMarkdown() {
			anchors[f.path] = anchorsOf(f)
		}
	}
	for _, f := range tree {
		// docs/platforms.md repeats the introduction, with links that are relative to it.
		if f.isMarkdown() && f.path != "internal/platforms/introduction.md" {
			t.Run(f.path, func(t *testing.T) {
				for _, problem := range brokenLinks(f, anchors, exists) {
					t.Error(problem)
				}
			})
		}
	}
}

func exists(name string) bool {
	_, err := os.Stat(filepath.Join("..", "..", filepath.FromSlash(name)))
	return err == nil
}

// brokenLinks lists the links of a document that lead nowhere.
func brokenLinks(f *file, anchors map[string]map[string]bool, exists func(string) bool) []string {
	var problems []string
	verbatim := verbatimLines(f)
	for i, line := range f.lines {
		if verbatim[i+1] {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(line, -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(m[1], ":") {
				continue // on the web
			}
			name := f.path
			if target != "" {
				name = path.Join(path.Dir(f.path), target)
			}
			switch {
			case !exists(name):
				problems = append(problems, fmt.Sprintf("%s:%d: got no file %s, want one", f.path,
					i+1, name))
			case anchor != "" && !anchors[name][anchor]:
				problems = append(problems, fmt.Sprintf("%s:%d: got no heading #%s in %s, want one",
					f.path, i+1, anchor, name))
			}
		}
	}
	return problems
}

// anchorsOf returns the anchors that GitHub gives to the headings of a document.
func anchorsOf(f *file) map[string]bool {
	anchors := make(map[string]bool)
	verbatim := verbatimLines(f)
	for i, line := range f.lines {
		m := heading.FindStringSubmatch(line)
		if m == nil || verbatim[i+1] {
			continue
		}
		text := notSlug.ReplaceAllString(linkText.ReplaceAllString(m[1], "$1"), "")
		slug := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(text)), " ", "-")
		name := slug
		for n := 1; anchors[name]; n++ {
			name = fmt.Sprintf("%s-%d", slug, n)
		}
		anchors[name] = true
	}
	return anchors
}

func TestBrokenLinks(t *testing.T) {
	f, err := parse("docs/a.md", []byte("# A `b`, and [c](d.md)\n\n## Two\n\n## Two\n\n"+
		"```\n# no heading\n[x](nowhere.md)\n```\n"+
		"[a](#a-b-and-c) [b](#two-1) [c](../README.md) [d](https://example.com/#x)\n"+
		"[e](#no-heading) [f](nowhere.md) [g](../README.md#nowhere)\n"))
	if err != nil {
		t.Fatal(err)
	}
	anchors := map[string]map[string]bool{"docs/a.md": anchorsOf(f), "README.md": {}}
	got := brokenLinks(f, anchors, func(name string) bool { return name != "docs/nowhere.md" })
	want := []string{
		"docs/a.md:12: got no heading #no-heading in docs/a.md, want one",
		"docs/a.md:12: got no file docs/nowhere.md, want one",
		"docs/a.md:12: got no heading #nowhere in README.md, want one",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
