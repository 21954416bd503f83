package interrupt

import (
	"crypto/sha256"
	"fmt"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestVersionIsThatOfSources fails after each change of the package's code. A cache would otherwise
// run modules as an earlier version rewrote them.
func TestVersionIsThatOfSources(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %v and %v, want the sources", files, err)
	}
	hash := sha256.New()
	for _, name := range files {
		if name == "version.go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var s scanner.Scanner
		s.Init(token.NewFileSet().AddFile(name, -1, len(source)), source, nil, 0)
		for {
			_, kind, text := s.Scan()
			if kind == token.EOF {
				break
			}
			if text == "\n" { // a semicolon that stands for the end of a line
				text = ";"
			}
			fmt.Fprintf(hash, "%v %s\n", kind, text)
		}
	}
	if version := fmt.Sprintf("%x", hash.Sum(nil)[:8]); version != Version {
		t.Errorf("the sources have changed: set Version to %q", version)
	}
}
