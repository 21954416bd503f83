package main

import (
	"go/ast"
	"regexp"
	"strings"
)

var (
	// platformTag finds a system in a build constraint.
	platformTag = regexp.MustCompile(
		`\b(unix|linux|windows|darwin|dragonfly|freebsd|netbsd|openbsd)\b`)
	// platformName matches the files that may be for some systems alone. The rest of such a set of
	// files is _other.go.
	platformName = regexp.MustCompile(
		`_(unix|linux|windows|darwin|dragonfly|freebsd|netbsd|openbsd|bsd|other)\.go$`)
)

// printsSystem is the file that may ask for the system, to print it.
const printsSystem = "cmd/wasport/version.go"

// checkPlatform keeps differences between systems in files whose names say so. A test may be for
// some systems under any name, but asks for none.
func checkPlatform(f *file, report reportFunc) {
	for i, line := range f.lines {
		if !f.isTest() && strings.HasPrefix(line, "//go:build ") && platformTag.MatchString(line) &&
			!platformName.MatchString(f.path) {
			report(i+1, "a file for some systems is named for them, such as _unix.go")
		}
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "GOOS" && f.path != printsSystem {
			if _, ok := s.X.(*ast.Ident); ok {
				report(f.line(n.Pos()), "runtime.GOOS, where a file for each system belongs")
			}
		}
		return true
	})
}
