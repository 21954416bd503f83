package main

import (
	"fmt"
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

// TestPageKeepsItsTables has a file of one benchmark alone.
func TestPageKeepsItsTables(t *testing.T) {
	dir := t.TempDir() + "/"
	page, err := os.ReadFile("../" + docs + "performance.md")
	if err == nil {
		err = os.WriteFile(dir+"performance.md", page, 0o666)
	}
	if err == nil {
		err = results.Add(dir+"performance.json", results.Row{Benchmark: "network", Workload: "w",
			Runs: []results.Run{{Ratio: 1}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	const want = "has no rows for the table crowd"
	if err := run(dir); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want an error that it %s", err, want)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 2 {
		t.Errorf("got the files %v, %v, want no plot", list, err)
	}
	if got, _ := os.ReadFile(dir + "performance.md"); string(got) != string(page) {
		t.Error("got another page, want it unchanged")
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
	if got := string(plotRatios(rows)); !strings.Contains(got, `<circle class="dot c1" cx="`+
		fmt.Sprintf("%.1f", x(0.5))) {
		t.Errorf("got %s, want a time of twice the native one drawn as slow", got)
	}
}

// TestTableOfHosts has another host beside guests of wasport.
func TestTableOfHosts(t *testing.T) {
	rows := []results.Row{
		{Workload: "w", Mode: "idle", Rate: true, Runs: []results.Run{{Ratio: 2, Low: 2, High: 2}}},
		{Workload: "v", Mode: "idle", Rate: true, Runs: []results.Run{{Ratio: 1, Low: 1, High: 1}}},
		{Workload: "w", Mode: "idle", Rate: true, Host: "other",
			Runs: []results.Run{{Ratio: 0.5, Low: 0.4, High: 0.6, CPU: 3}}},
	}
	got := table(rows)
	for _, want := range []string{" other: ratio (range) | CPU |\n|---",
		"0 % | 0.50 (0.40–0.60) | 3.00 |\n| v", "0 % | | |\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, want %q in it", got, want)
		}
	}
	const circle = `<circle class="line c2"`
	if got := strings.Count(string(plotRatios(rows)), circle); got != 2 {
		t.Errorf("got %d circles of the other host, want 2: in the legend and on a line", got)
	}
}

// TestTableOfCrowd has guests, the server that they are compared with, and another.
func TestTableOfCrowd(t *testing.T) {
	var rows []results.Row
	for _, name := range []string{"guests_10", "guests_1000"} {
		for i, h := range []string{"", "C epoll"} {
			rows = append(rows, results.Row{Workload: name, Rate: true, Host: h,
				Runs: []results.Run{{Guest: 500, Native: 1000, Ratio: 0.5, Low: 0.4, High: 0.6,
					CPUEach: 10 / float64(i+1), NativeCPUEach: 16, P99: 1500}}})
		}
	}
	got := crowdTable(rows)
	for _, want := range []string{
		"| guests_10 | guests | 500 per s | 0.50 (0.40–0.60) | 10.0 µs | 1.50 ms | 0 % |\n",
		"| guests_10 | Go net | 1000 per s | 1 | 16.0 µs |  | 0 % |\n",
		"| guests_1000 | C epoll | 500 per s | 0.50 (0.40–0.60) | 5.00 µs |"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, want the line %q", got, want)
		}
	}
	// Times go from 4 to 16 µs, and the greater crowd is at the right.
	if got, want := string(plotCrowd(rows)), `cx="370.0" cy="78.0"`; !strings.Contains(got, want) {
		t.Errorf("got %s, want %s, the most expensive round trip at the top", got, want)
	}
}

// TestTableOfCalls has a workload in two modes, one of them without a native program.
func TestTableOfCalls(t *testing.T) {
	var rows []results.Row
	for i, host := range []string{"without", "", "native", "without", ""} {
		v := float64(i)
		mode := []string{"awake", "one_cpu"}[min(i/2, 1)]
		rows = append(rows, results.Row{Workload: "w", Mode: mode, Host: host, Unit: "calls/piece",
			Runs: []results.Run{{Guest: v, Low: v, High: 9, CPUEach: 10 * v, Others: 0.02}}})
	}
	got := callsTable(rows)
	for _, want := range []string{"\n| w, piece | awake | | 0.00 (0.00–9.00) | 1.00 (1.00–9.00) |" +
		" | 0.00 µs | 10.0 µs | 2 % |\n",
		"\n| w, piece | one cpu | 2.00 (2.00–9.00) | 3.00 (3.00–9.00) | 4.00 (4.00–9.00) |" +
			" 20.0 µs | 30.0 µs | 40.0 µs | 2 % |\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, want the line %q", got, want)
		}
	}
}

func TestTableOfInterrupts(t *testing.T) {
	var rows []results.Row
	for i, program := range []string{"fib", "sum"} {
		for _, way := range []string{"pass", "check", "native"} {
			v := float64(4 * (i + 1))
			rows = append(rows, results.Row{Workload: program, Mode: way,
				Runs: []results.Run{{Ratio: v * v / 4, Low: 1, High: 20}}})
		}
	}
	got, want := interruptTable(rows), "| geometric mean | 8.00 | 8.00 | 8.00 |\n"
	if !strings.Contains(got, want) || !strings.Contains(got, "| fib | 4.00 (1.00–20.0) | 4.00 ") {
		t.Errorf("got %s, want %q of 4 and 16", got, want)
	}
}

func TestTableOfFigures(t *testing.T) {
	rows := []results.Row{
		{Benchmark: "idle", Workload: "recv_9", Unit: "KiB",
			Runs: []results.Run{{Guest: 36, Low: 35, High: 38}}},
		{Benchmark: "hello", Workload: "hello_20k", Mode: "not_cached", Unit: "ms",
			Runs: []results.Run{{Guest: 6, Native: 2, Ratio: 3, Low: 2.5, High: 4}}},
	}
	got := plainTable(rows)
	for _, want := range []string{"| idle: recv_9 | 36.0 KiB | 35.0–38.0 |  |\n",
		"| hello_20k, not cached | 6.00 ms | 2.50–4.00 times native | 2.00 ms |\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, want the line %q", got, want)
		}
	}
}
