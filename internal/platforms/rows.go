package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/wasport/wasport/internal/platforms/recording"
)

// call is a call of an import, with its arguments and the state before it.
type call struct{ name, how string }

// column is all that was recorded on a platform.
type column struct {
	platform string
	calls    []call // in the order of the recordings
	results  map[call]string
}

// readColumn reads a recording of a platform.
func readColumn(dir, platform, file string) (column, error) {
	c := column{platform: platform, results: make(map[call]string)}
	lines, err := recording.Read(dir, platform, file)
	if err != nil {
		return c, err
	}
	for _, l := range lines {
		k := call{l.Name, l.Call}
		if _, twice := c.results[k]; twice {
			return c, fmt.Errorf("%s, %s: got %s, %s twice, want it once", platform, file, l.Name,
				l.Call)
		}
		c.calls = append(c.calls, k)
		c.results[k] = l.Result
	}
	return c, nil
}

// reason tells why a call gives something else on a platform than on Linux.
type reason struct {
	platform string
	call
	text string
	used bool
}

func readReasons(file string) ([]reason, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var reasons []reason
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 4 || f[3] == "" {
			return nil, fmt.Errorf(
				"%s: got %q, want a platform, an import, a call and a reason with tabs", file, line)
		}
		reasons = append(reasons, reason{platform: f[0], call: call{f[1], f[2]}, text: f[3]})
	}
	return reasons, nil
}

func (r *reason) covers(platform string, k call) bool {
	return r.platform == platform && (r.name == "*" || r.name == k.name) &&
		(r.how == "*" || r.how == k.how)
}

// row is a row of the table: the results on all platforms, empty where they are Linux's.
type row struct {
	call
	results []string
	why     []string
}

// makeRows compares all columns with the first. A difference without a reason is an error.
func makeRows(columns []column, reasons []reason) ([]row, error) {
	var rows []row
	var errs []error
	linux := columns[0]
	for _, k := range allCalls(columns) {
		expected := linux.resultOf(k)
		r := row{call: k, results: []string{expected}}
		for _, c := range columns[1:] {
			result := c.resultOf(k)
			if result == expected {
				r.results = append(r.results, "")
				continue
			}
			why, err := explain(reasons, c.platform, k, result, expected)
			errs = append(errs, err)
			if !slices.Contains(r.why, why) {
				r.why = append(r.why, why)
			}
			r.results = append(r.results, result)
		}
		rows = append(rows, r)
	}
	return rows, errors.Join(errs...)
}

// allCalls lists the calls of all columns, those of the first one first.
func allCalls(columns []column) (calls []call) {
	known := make(map[call]bool)
	for _, c := range columns {
		for _, k := range c.calls {
			if !known[k] {
				known[k] = true
				calls = append(calls, k)
			}
		}
	}
	return calls
}

func (c *column) resultOf(k call) string {
	if result, ok := c.results[k]; ok {
		return result
	}
	return recording.Absent
}

// checkUsed returns an error for each reason without a difference.
func checkUsed(reasons []reason) error {
	var errs []error
	for _, r := range reasons {
		if !r.used {
			errs = append(errs, fmt.Errorf("%s, %s, %s: got a reason without a difference",
				r.platform, r.name, r.how))
		}
	}
	return errors.Join(errs...)
}

// explain finds the reason of a difference.
func explain(reasons []reason, platform string, k call, got, linux string) (string, error) {
	for i := range reasons {
		if reasons[i].covers(platform, k) {
			reasons[i].used = true
			return reasons[i].text, nil
		}
	}
	return "", fmt.Errorf("%s, %s, %s: got %q, on Linux %q, and no reason in reasons.txt", platform,
		k.name, k.how, got, linux)
}
