package main

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Limits of the rules. They are ratchets: they may become stricter, and never looser.
const (
	maxColumns       = 100
	maxFunctionLines = 70
	maxFileLines     = 600
)

// broken is one place that breaks a rule.
type broken struct {
	path string
	line int
	rule string
}

func (b broken) String() string { return fmt.Sprintf("%s:%d: %s", b.path, b.line, b.rule) }

// check lists the places that break a rule, in the order of files and lines.
func check(tree []*file) []broken {
	var list []broken
	documented := make(map[string]bool)
	for _, f := range tree {
		report := func(line int, format string, args ...any) {
			list = append(list, broken{f.path, line, fmt.Sprintf(format, args...)})
		}
		checkWidth(f, report)
		checkWords(f, report)
		checkPromises(f, report)
		if !f.isGo() {
			continue
		}
		checkFunctions(f, report)
		checkIdentifiers(f, report)
		checkPlatform(f, report)
		if len(f.lines) > maxFileLines {
			report(1, "the file has %d lines, at most %d are allowed", len(f.lines), maxFileLines)
		}
		if !f.isTest() {
			dir := path.Dir(f.path)
			documented[dir] = documented[dir] || f.syntax.Doc != nil
		}
	}
	for dir, ok := range documented {
		if !ok {
			list = append(list, broken{dir, 1, "the package has no doc comment"})
		}
	}
	slices.SortStableFunc(list, func(a, b broken) int { return strings.Compare(a.path, b.path) })
	return list
}

type reportFunc func(line int, format string, args ...any)

// Lines that cannot be wrapped: rows of tables, and addresses on the web.
var unwrappable = regexp.MustCompile(`^\s*(\|.*|.*https?://\S+.*)$`)

func checkWidth(f *file, report reportFunc) {
	verbatim := verbatimLines(f)
	for i, line := range f.lines {
		if n := columns(line); n > maxColumns && !verbatim[i+1] && !unwrappable.MatchString(line) {
			report(i+1, "%d columns, at most %d are allowed", n, maxColumns)
		}
	}
}

// verbatimLines returns the lines that show text from elsewhere: raw strings and expected outputs
// in Go, and blocks of output in a document.
func verbatimLines(f *file) map[int]bool {
	lines := make(map[int]bool)
	if f.isMarkdown() {
		fenced := false
		for i, line := range f.lines {
			fence := strings.HasPrefix(strings.TrimSpace(line), "```")
			fenced = fenced != fence
			lines[i+1] = fenced || fence
		}
		return lines
	}
	if !f.isGo() {
		return lines
	}
	mark := func(first, last int) {
		for n := first; n <= last; n++ {
			lines[n] = true
		}
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && strings.HasPrefix(lit.Value, "`") {
			mark(f.line(lit.Pos()), f.line(lit.End()))
		}
		return true
	})
	for _, group := range f.syntax.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "// Output:") || strings.HasPrefix(c.Text, "//go:") {
				mark(f.line(c.Pos()), f.line(group.End()))
			}
		}
	}
	return lines
}

// bannedWords are words that hide the subject of a sentence, or that speak of work to be done.
var bannedWords = regexp.MustCompile(`(?i)\b(whoever|whomever|whatsoever|hereby|thereof|therein|` +
	`utils|nevertheless|TODO|FIXME)\b`)

func checkWords(f *file, report reportFunc) {
	if strings.HasPrefix(f.path, "internal/tidy/") {
		return // which has to spell them
	}
	if f.isMarkdown() {
		for i, line := range f.lines {
			if word := bannedWords.FindString(line); word != "" {
				report(i+1, "the word %q is banned", word)
			}
		}
	}
	if !f.isGo() {
		return
	}
	for _, group := range f.syntax.Comments {
		for _, c := range group.List {
			if word := bannedWords.FindString(c.Text); word != "" {
				report(f.line(c.Pos()), "the word %q is banned", word)
			}
		}
	}
}

// checkFunctions counts the lines of functions. The rows of a table do not count.
func checkFunctions(f *file, report reportFunc) {
	for _, decl := range f.syntax.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok {
			if n := functionLength(f, fn) - tableLines(f, fn); n > maxFunctionLines {
				report(f.line(fn.Pos()), "%s has %d lines, at most %d are allowed",
					fn.Name.Name, n, maxFunctionLines)
			}
		}
	}
}

// minTableLines is how long a composite literal is at least that counts as a table.
const minTableLines = 5

func tableLines(f *file, fn *ast.FuncDecl) (lines int) {
	ast.Inspect(fn, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		if n := f.line(lit.End()) - f.line(lit.Pos()); n >= minTableLines {
			lines += n
		}
		return false
	})
	return lines
}

// shadowable are the predeclared functions and types that a local name must not hide.
var shadowable = []string{"min", "max", "any", "len", "cap", "copy", "new", "clear"}

func checkIdentifiers(f *file, report reportFunc) {
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			for _, r := range n.Name {
				if r > 127 {
					report(f.line(n.Pos()), "the identifier %q is not ASCII", n.Name)
					break
				}
			}
		case *ast.AssignStmt:
			if n.Tok.String() == ":=" {
				for _, e := range n.Lhs {
					checkShadow(f, e, report)
				}
			}
		case *ast.Field:
			checkShadows(f, n.Names, report)
		case *ast.ValueSpec:
			checkShadows(f, n.Names, report)
		case *ast.StructType, *ast.InterfaceType:
			return false // a field hides nothing
		}
		return true
	})
}

func checkShadows(f *file, names []*ast.Ident, report reportFunc) {
	for _, name := range names {
		checkShadow(f, name, report)
	}
}

func checkShadow(f *file, e ast.Expr, report reportFunc) {
	if id, ok := e.(*ast.Ident); ok && slices.Contains(shadowable, id.Name) {
		report(f.line(id.Pos()), "%s hides the predeclared %s", id.Name, id.Name)
	}
}
