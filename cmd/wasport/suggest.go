package main

import (
	"fmt"
	"slices"
	"strings"
)

// foreignFlags has flags of other runtimes, such as Deno, wasmtime and iwasm, each with its place
// in wasport: of a permission, the narrowest flag.
var foreignFlags = map[string]string{
	"allow-all": "no flag allows all; --allow-connect, --allow-listen, --allow-join, " +
		"--allow-resolve, --dir and --env allow one thing each",
	"allow-dns":   "--allow-resolve NAME lets it look a name up",
	"allow-env":   "--env NAME=VALUE gives it a variable",
	"allow-hosts": "--allow-connect tcp://HOST:PORT lets it connect there",
	"allow-read":  "--dir HOST::GUEST:ro lets it read a directory",
	"allow-tcp": "--allow-connect tcp://HOST:PORT connects, --allow-listen tcp://ADDR:PORT " +
		"listens",
	"allow-udp":   "--allow-connect udp://HOST:PORT sends, --allow-listen udp://ADDR:PORT receives",
	"allow-write": "--dir HOST::GUEST lets it use a directory",
	"heap-size":   "a module's memory grows as it needs; --max-memory SIZE limits it",
	"stack-size":  "a module's stack is set when it is linked: -Wl,-z,stack-size=BYTES",
}

// suggestFlag suggests a flag in place of one that does not exist. It never suggests --allow-net: a
// typing mistake must not grant everything.
func suggestFlag(got string, names []string) string {
	if hint, ok := foreignFlags[got]; ok {
		return "; " + hint
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "allow-net" })
	for _, prefix := range []string{"allow-", "deny-"} {
		if rest, ok := strings.CutPrefix(got, prefix); ok {
			// The common prefix does not make two flags similar.
			var rests []string
			for _, name := range names {
				if name, ok := strings.CutPrefix(name, prefix); ok {
					rests = append(rests, name)
				}
			}
			return didYouMean("--"+prefix, rest, rests)
		}
	}
	return didYouMean("--", got, names)
}

// didYouMean suggests the most similar name, unless none is similar.
func didYouMean(prefix, got string, names []string) string {
	best, maxDistance := "", 1+len(got)/3
	for _, name := range names {
		if d := editDistance(got, name); d <= maxDistance {
			best, maxDistance = name, d-1
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s%s?", prefix, best)
}

// editDistance is the Levenshtein distance: the number of bytes to insert, delete or change.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
