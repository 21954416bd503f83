package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasport/wasport/bench/internal/results"
)

// TestPageHasTheFigures makes the page and the plots again.
func TestPageHasTheFigures(t *testing.T) {
	dir := t.TempDir() + "/"
	files := []string{"performance.json", "performance.md", "performance-network.svg",
		"performance-crowd.svg", "performance-component.svg"}
	for _, name := range files[:2] {
		b, err := os.ReadFile("../" + docs + name)
		if err == nil {
			err = os.WriteFile(dir+name, b, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := run(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		want, err := os.ReadFile(dir + name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile("../" + docs + name); err != nil || string(got) != string(want) {
			t.Errorf("docs/%s: got another text, %v, than `go run ./figures` writes", name, err)
		}
	}
}

// TestTableOfRuns has rows of rates and of times in one table.
func TestTableOfRuns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.json")
	for n := range results.MaxRuns + 1 {
		run := results.Run{Guest: 1234, Native: 1000, Ratio: float64(n), Low: 0.5, High: 9,
			CPU: 0.25, Both: 1, Others: 0.02}
		err := results.Add(file, results.Row{Benchmark: "network", Workload: "w", Mode: "one_cpu",
			Unit: "/s", Rate: true, Runs: []results.Run{run}})
		if err != nil {
			t.Fatal(err)
		}
	}
	rows, err := results.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	want := "| w, rate | one cpu | 1230 per s | 1000 per s | 2.00 (0.50–9.00) | 0.25 | 1.00 | 2 % |"
	if got := table(rows); !strings.Contains(got, want) {
		t.Errorf("got %s, want the row %s of the last runs", got, want)
	}
	rows[0].Rate = false
	if got := string(plot(rows)); !strings.Contains(got, "#b3402a") {
		t.Errorf("got %s, want a time of twice the native one drawn as slow", got)
	}
}
