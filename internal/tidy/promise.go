package main

import (
	"go/ast"
	"path"
	"strings"
)

// Limits that the documents state.
const (
	maxGlossary     = 25 // words in docs/architecture.md
	maxHandlerLines = 39 // of the example of a guest behind an http.Handler
)

// checkPromises holds single places to the statements that documents make about them.
func checkPromises(f *file, report reportFunc) {
	switch {
	case f.path == "docs/architecture.md":
		checkGlossary(f, report)
	case path.Dir(f.path) == "." && f.isTest() && f.path != "example_test.go":
		report(1, "the root has no test but example_test.go; internal/integration_test has them")
	case path.Dir(f.path) == "network/virtual" && !f.isTest() && path.Base(f.path) != "gateway.go":
		checkGoroutines(f, report)
	case f.path == "examples/inmemory/main.go":
		checkHandler(f, report)
	}
}

// checkGlossary counts the rows of the table below "Words", the two of its head left out.
func checkGlossary(f *file, report reportFunc) {
	words, line, inside := -2, 1, false
	for i, text := range f.lines {
		switch {
		case strings.HasPrefix(text, "## "):
			inside = text == "## Words"
		case inside && strings.HasPrefix(text, "|"):
			words++
			line = i + 1
		}
	}
	if words > maxGlossary {
		report(line, "the glossary has %d words, at most %d are allowed", words, maxGlossary)
	}
}

// checkGoroutines finds the go statements of a package that moves bytes without goroutines.
func checkGoroutines(f *file, report reportFunc) {
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			report(f.line(n.Pos()), "a goroutine, where bytes move in the calls of guests")
		case *ast.SelectorExpr: // of a sync.WaitGroup
			if n.Sel.Name == "Go" {
				report(f.line(n.Pos()), "a goroutine, where bytes move in the calls of guests")
			}
		}
		return true
	})
}

func checkHandler(f *file, report reportFunc) {
	for _, decl := range f.syntax.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if ok && fn.Name.Name == "handlerOf" && functionLength(f, fn) > maxHandlerLines {
			report(f.line(fn.Pos()), "handlerOf has %d lines, at most %d are allowed",
				functionLength(f, fn), maxHandlerLines)
		}
	}
}
