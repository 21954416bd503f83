package main

import (
	"flag"
	"go/ast"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/api.txt")

// publicPackages are the packages whose exported names are promised; see docs/stability.md.
var publicPackages = []string{".", "guest/go/gonet", "guest/go/http", "network", "network/dial",
	"network/guard", "network/kernel", "network/networktest", "network/virtual", "policy"}

// TestExportedNamesAreGolden fails when an exported name comes, goes or changes its kind, so that
// no change of the API goes unnoticed:
//
//	go test ./internal/tidy -run Golden -update
func TestExportedNamesAreGolden(t *testing.T) {
	var names []string
	for _, f := range loadTree(t) {
		if f.isGo() && !f.isTest() && slices.Contains(publicPackages, path.Dir(f.path)) {
			names = append(names, exportedNames(f)...)
		}
	}
	slices.Sort(names)
	got := strings.Join(slices.Compact(names), "\n") + "\n"
	const golden = "testdata/api.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got other exported names than %s has, want the same (or run with -update):\n%s",
			golden, difference(string(want), got))
	}
}

// TestExportedTypesAreNoAliases keeps go doc useful: it shows neither fields nor methods of an
// alias. A type of package net's has its documentation there, and a function type has none of them.
func TestExportedTypesAreNoAliases(t *testing.T) {
	for _, f := range loadTree(t) {
		if !f.isGo() || f.isTest() || !slices.Contains(publicPackages, path.Dir(f.path)) {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			s, ok := n.(*ast.TypeSpec)
			if ok && s.Name.IsExported() && s.Assign.IsValid() && !mayBeAliased(s.Type) {
				t.Errorf("got %s.%s as an alias, want a type with its own documentation",
					path.Dir(f.path), s.Name.Name)
			}
			return true
		})
	}
}

func mayBeAliased(typ ast.Expr) bool {
	switch typ := typ.(type) {
	case *ast.FuncType:
		return true
	case *ast.SelectorExpr:
		pkg, ok := typ.X.(*ast.Ident)
		return ok && pkg.Name == "net"
	}
	return false
}

// TestStabilityNamesPublicPackages holds docs/stability.md to the packages of the golden list.
func TestStabilityNamesPublicPackages(t *testing.T) {
	text, err := os.ReadFile("../../docs/stability.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| Go packages (.*) \|.*$`).FindStringSubmatch(string(text))
	if row == nil {
		t.Fatal("got no row of Go packages in docs/stability.md, want one")
	}
	var got []string
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
		got = append(got, strings.Replace(m[1], "wasport", ".", 1))
	}
	slices.Sort(got)
	if !slices.Equal(got, publicPackages) {
		t.Errorf("docs/stability.md: got Go packages %q, want %q", got, publicPackages)
	}
}

// difference lists the lines that one of two sorted texts lacks.
func difference(want, got string) string {
	wantLines, gotLines := strings.Split(want, "\n"), strings.Split(got, "\n")
	var out []string
	for _, line := range wantLines {
		if !slices.Contains(gotLines, line) {
			out = append(out, "- "+line)
		}
	}
	for _, line := range gotLines {
		if !slices.Contains(wantLines, line) {
			out = append(out, "+ "+line)
		}
	}
	return strings.Join(out, "\n")
}

// exportedNames lists what a file exports: functions, methods, types with their fields and
// methods, constants and variables.
func exportedNames(f *file) []string {
	prefix := path.Dir(f.path) + " "
	var names []string
	add := func(kind, name string) { names = append(names, prefix+kind+" "+name) }
	for _, decl := range f.syntax.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if receiver, ok := exportedReceiver(d); ok && d.Name.IsExported() {
				add("func", receiver+d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() {
						add("type", s.Name.Name)
						addMembers(s, add)
					}
				case *ast.ValueSpec:
					for _, name := range s.Names {
						if name.IsExported() {
							add(d.Tok.String(), name.Name)
						}
					}
				}
			}
		}
	}
	return names
}

// exportedReceiver returns the receiver's type followed by a dot, "" for a plain function, and
// whether users can reach it.
func exportedReceiver(d *ast.FuncDecl) (string, bool) {
	if d.Recv == nil {
		return "", true
	}
	expr := d.Recv.List[0].Type
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	if index, ok := expr.(*ast.IndexExpr); ok { // of a generic type
		expr = index.X
	}
	name, ok := expr.(*ast.Ident)
	if !ok || !name.IsExported() {
		return "", false
	}
	return name.Name + ".", true
}

func addMembers(s *ast.TypeSpec, add func(kind, name string)) {
	var fields *ast.FieldList
	switch typ := s.Type.(type) {
	case *ast.StructType:
		fields = typ.Fields
	case *ast.InterfaceType:
		fields = typ.Methods
	default:
		return
	}
	for _, field := range fields.List {
		for _, name := range field.Names {
			if name.IsExported() {
				add("member", s.Name.Name+"."+name.Name)
			}
		}
	}
}
