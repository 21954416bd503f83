package main

import (
	"fmt"
	"slices"
	"strings"
)

// elsewhere are permissions as other runtimes spell them, Deno and wasmtime for instance, and what
// is least here.
var elsewhere = map[string]string{
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
}

// instead says what to write instead of a flag that does not exist. It never suggests --allow-net,
// which grants everything: only a person can mean that.
func instead(got string, names []string) string {
	if least, ok := elsewhere[got]; ok {
		return "; " + least
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "allow-net" })
	for _, prefix := range []string{"allow-", "deny-"} {
		if rest, ok := strings.CutPrefix(got, prefix); ok {
			// What such flags have in common does not make them similar.
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

// didYouMean suggests the name that was probably meant, if there is one.
func didYouMean(prefix, got string, names []string) string {
	best, least := "", 1+len(got)/3
	for _, name := range names {
		if d := distance(got, name); d <= least {
			best, least = name, d-1
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s%s?", prefix, best)
}

// distance counts the letters to insert, drop or change to get from a to b.
func distance(a, b string) int {
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
