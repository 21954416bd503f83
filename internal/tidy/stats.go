package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// figures are the numbers that -stats prints. All but the last three are about Go files that are
// not tests.
type figures struct {
	fileLines, functionLines, commentWidths []int

	commentLines, codeLines int

	words, who, what, references int // in comments

	functions, oneWord int // functions and methods, and those named by one word

	failures, failuresWithWant int // messages of tests that fail
	tests, subtests            int // test functions, and calls of t.Run in them
}

func measure(tree []*file) *figures {
	s := new(figures)
	for _, f := range tree {
		switch {
		case !f.isGo():
		case f.isTest():
			s.addTests(f)
		default:
			s.addCode(f)
		}
	}
	return s
}

var (
	wordWho  = regexp.MustCompile(`(?i)\b(who|whoever|whose|whom)\b`)
	wordWhat = regexp.MustCompile(`(?i)\b(what|whatever)\b`)

	// wordReference matches a claim's source: an RFC, a man page with its section, POSIX, a WASI
	// or WAMR file, an issue, an address on the web.
	wordReference = regexp.MustCompile(`RFC \d+|\b[a-z_0-9]+\(\d\)|\bPOSIX\b|https?://|` +
		`\b(issue|section) \d+|\bMSDN\b|\b[a-z_-]+\.(md|h|witx)\b`)
)

func (s *figures) addCode(f *file) {
	s.fileLines = append(s.fileLines, len(f.lines))
	for _, group := range f.syntax.Comments {
		first, last := f.line(group.Pos()), f.line(group.End())
		for n := first; n <= last; n++ {
			s.commentLines++
			s.commentWidths = append(s.commentWidths, columns(f.lines[n-1]))
		}
		text := group.Text()
		s.words += len(strings.Fields(text))
		s.who += len(wordWho.FindAllString(text, -1))
		s.what += len(wordWhat.FindAllString(text, -1))
		s.references += len(wordReference.FindAllString(text, -1))
	}
	for _, line := range f.lines {
		if t := strings.TrimSpace(line); t != "" && !strings.HasPrefix(t, "//") {
			s.codeLines++
		}
	}
	for _, decl := range f.syntax.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok {
			s.functions++
			if isOneWord(fn.Name.Name) {
				s.oneWord++
			}
			s.functionLines = append(s.functionLines, functionLength(f, fn))
		}
	}
}

func functionLength(f *file, fn *ast.FuncDecl) int {
	return f.line(fn.End()) - f.line(fn.Pos()) + 1
}

func isOneWord(name string) bool {
	return !slices.ContainsFunc([]rune(name)[1:], unicode.IsUpper)
}

// failureCalls are the methods of testing.T that print a message.
var failureCalls = []string{"Error", "Errorf", "Fatal", "Fatalf"}

var wordWant = regexp.MustCompile(`(?i)\b(want|wanted|expected|expect)\b`)

func (s *figures) addTests(f *file) {
	for _, decl := range f.syntax.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
			s.tests++
		}
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		selector, ok := call.Fun.(*ast.SelectorExpr)
		switch {
		case !ok:
		case selector.Sel.Name == "Run" && len(call.Args) == 2:
			s.subtests++
		case slices.Contains(failureCalls, selector.Sel.Name):
			s.addFailure(call)
		}
		return true
	})
}

// addFailure counts a message of a failing test. A bare error, which says itself what is wrong,
// is no message.
func (s *figures) addFailure(call *ast.CallExpr) {
	for _, arg := range call.Args {
		text := stringsIn(arg)
		if text == "" {
			continue
		}
		s.failures++
		if wordWant.MatchString(text) {
			s.failuresWithWant++
		}
		return
	}
}

// stringsIn joins the string literals of an expression.
func stringsIn(e ast.Expr) string {
	var text strings.Builder
	ast.Inspect(e, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text.WriteString(lit.Value + " ")
		}
		return true
	})
	return text.String()
}

func (s *figures) String() string {
	var b strings.Builder
	row := func(name, format string, values ...any) {
		fmt.Fprintf(&b, "%-52s %s\n", name, fmt.Sprintf(format, values...))
	}
	row("file lines, median / p95 / max", "%d / %d / %d",
		quantile(s.fileLines, 50), quantile(s.fileLines, 95), quantile(s.fileLines, 100))
	row("function lines, p95 / max", "%d / %d",
		quantile(s.functionLines, 95), quantile(s.functionLines, 100))
	row("comment width, median / p95 / max", "%d / %d / %d",
		quantile(s.commentWidths, 50), quantile(s.commentWidths, 95),
		quantile(s.commentWidths, 100))
	row("comment lines of comment and code lines", "%.1f %%",
		percent(s.commentLines, s.commentLines+s.codeLines))
	row(`"who, whose, whom, whoever" per 1,000 comment words`, "%.1f", perThousand(s.who, s.words))
	row(`"what, whatever" per 1,000`, "%.1f", perThousand(s.what, s.words))
	row("references per 1,000", "%.1f", perThousand(s.references, s.words))
	row("functions named by one word", "%.0f %%", percent(s.oneWord, s.functions))
	row("failure messages that say want or expected", "%.0f %%",
		percent(s.failuresWithWant, s.failures))
	row("t.Run per test", "%.2f", float64(s.subtests)/float64(max(s.tests, 1)))
	return b.String()
}

func percent(part, whole int) float64     { return 100 * float64(part) / float64(max(whole, 1)) }
func perThousand(part, whole int) float64 { return 10 * percent(part, whole) }

// quantile returns the value below which q percent of values lie; 0 if there are none.
func quantile(values []int, q int) int {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)*q/100, len(sorted)-1)]
}
