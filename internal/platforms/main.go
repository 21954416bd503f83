// Command platforms writes docs/platforms.md: the results of each import and option on each
// platform, from the recordings in the folders beside it, and why they differ from Linux. Package
// recording, with which tests make the recordings, belongs to it; no import is called here.
//
//	go run ./internal/platforms
//
// reasons.txt has a line for each difference: the platform, import and call, and the reason, with
// tabs between them. "*" stands for all imports or calls.
package main

import (
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
	reasons, err := readReasons(filepath.Join(dir, "reasons.txt"))
	if err != nil {
		return "", err
	}
	var columns []column
	for _, p := range platforms {
		c, err := readColumn(filepath.Join(dir, p.folder))
		if err != nil {
			return "", err
		}
		c.platform = p.folder
		columns = append(columns, c)
	}
	rows, err := makeRows(columns, reasons)
	if err != nil {
		return "", fmt.Errorf("%s: %w", dir, err)
	}
	return string(introduction) + "\n" + formatTable(rows), nil
}
