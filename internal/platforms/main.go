// Command platforms writes docs/platforms.md: the results of each import, option and program on
// each platform, from the recordings in the folders beside it, and why they differ from Linux.
// Package recording, with which tests make the recordings, belongs to it; no import is called here.
//
//	go run ./internal/platforms
//
// reasons.txt has a line for each difference: the platform, import or program and call, and the
// reason, with tabs between them. "*" stands for all of them.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
)

func main() {
	log.SetFlags(0)
	page, err := makePage("internal/platforms")
	if err == nil {
		err = os.WriteFile("docs/platforms.md", []byte(page), 0o644)
	}
	if err != nil {
		log.Fatalf("platforms: %v", err)
	}
}

// platforms are those that are recorded, Linux first. The others are compared with it.
var platforms = []struct{ folder, title string }{
	{"linux", "Linux"},
	{"portable", "portable"},
	{"arm64", "arm64"},
	{"wine", "Windows"},
	{"gramine", "Gramine"},
}

// makePage makes docs/platforms.md of the files in a folder.
func makePage(dir string) (string, error) {
	introduction, err := os.ReadFile(filepath.Join(dir, "introduction.md"))
	if err != nil {
		return "", err
	}
	ofPrograms, err := os.ReadFile(filepath.Join(dir, "programs.md"))
	if err != nil {
		return "", err
	}
	reasons, err := readReasons(filepath.Join(dir, "reasons.txt"))
	if err != nil {
		return "", err
	}
	imports, importsErr := readRows(dir, "imports.txt", reasons)
	programs, programsErr := readRows(dir, "programs.txt", reasons)
	if err := errors.Join(importsErr, programsErr); err != nil {
		return "", fmt.Errorf("%s: %w", dir, err)
	}
	if err := checkUsed(reasons); err != nil {
		return "", fmt.Errorf("%s: %w", dir, err)
	}
	return fmt.Sprintf("%s\n%s\n%s\n%s\n%s", introduction,
		formatTable("import or option", imports), ofPrograms, formatCounts(programs),
		formatTable("program", differing(programs))), nil
}

// readRows makes the rows of a file that each platform has.
func readRows(dir, file string, reasons []reason) ([]row, error) {
	var columns []column
	for _, p := range platforms {
		c, err := readColumn(dir, p.folder, file)
		if err != nil {
			return nil, err
		}
		columns = append(columns, c)
	}
	return makeRows(columns, reasons)
}
