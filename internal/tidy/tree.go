package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// tabWidth is how many columns a tab counts for. gofmt leaves the width to the reader; 4 is
// what most editors and review tools show.
const tabWidth = 4

// file is one text file of the tree.
type file struct {
	path  string // relative to the root, with slashes
	lines []string

	// syntax is nil for files that are not Go.
	syntax *ast.File
	fset   *token.FileSet
}

func (f *file) isGo() bool       { return f.syntax != nil }
func (f *file) isTest() bool     { return strings.HasSuffix(f.path, "_test.go") }
func (f *file) isMarkdown() bool { return strings.HasSuffix(f.path, ".md") }

// line returns the 1-based line of a position.
func (f *file) line(p token.Pos) int { return f.fset.Position(p).Line }

// load reads the text files that Git tracks, or would track, below the repository's root. dir is
// any directory in it.
func load(dir string) ([]*file, error) {
	top, err := git(dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	root := strings.TrimSpace(string(top))
	names, err := git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	var tree []*file
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		switch filepath.Ext(name) {
		case ".go", ".md", ".c", ".h":
		default:
			continue
		}
		f, err := read(root, name)
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			return nil, err
		}
		tree = append(tree, f)
	}
	return tree, nil
}

func git(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w", args[0], err)
	}
	return out, nil
}

func read(root, name string) (*file, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		return nil, err
	}
	return parse(name, text)
}

func parse(name string, text []byte) (*file, error) {
	f := &file{path: name, lines: strings.Split(string(bytes.TrimRight(text, "\n")), "\n")}
	if filepath.Ext(name) != ".go" {
		return f, nil
	}
	f.fset = token.NewFileSet()
	syntax, err := parser.ParseFile(f.fset, name, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	f.syntax = syntax
	return f, nil
}

// columns is the width of a line as an editor shows it.
func columns(line string) int {
	return utf8.RuneCountInString(line) + strings.Count(line, "\t")*(tabWidth-1)
}
