// Package bytesize parses and formats numbers of bytes, with the same spelling in flags, policy
// files and output. The package has no state.
package bytesize

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// units are in decreasing order. IEC 80000-13 defines the binary ones.
var units = []struct {
	name  string
	bytes uint64
}{
	{"TiB", 1 << 40}, {"TB", 1e12}, {"GiB", 1 << 30}, {"GB", 1e9}, {"MiB", 1 << 20}, {"MB", 1e6},
	{"KiB", 1 << 10}, {"kB", 1e3}, {"B", 1},
}

// ErrSyntax is the error of a text that is no number with a unit.
var ErrSyntax = errors.New("this is not a size; " + example)

// example ends an error message.
const example = "write for instance 64MiB, 64MB, 500kB, or a number of bytes"

// Parse reads a number of bytes above 0, such as "10MiB", "10 MB" or "1500". The error gives a
// correct spelling. It refuses units such as "K" and "m", which stand for 1000 in some programs and
// for 1024 in others.
func Parse(s string) (uint64, error) {
	number := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	unit := s[len(number):]
	n, err := strconv.ParseUint(strings.TrimSuffix(number, " "), 10, 64)
	if err != nil || n == 0 {
		return 0, ErrSyntax
	}
	if unit == "" {
		return n, nil
	}
	for _, u := range units {
		if u.name == unit {
			if n > math.MaxUint64/u.bytes {
				return 0, errors.New("this is more than any size; " + example)
			}
			return n * u.bytes, nil
		}
	}
	switch letter := strings.ToUpper(unit[:1]); strings.ToLower(unit[1:]) {
	case "", "b", "i", "ib":
		if !strings.Contains("KMGT", letter) {
			break
		}
		small := strings.Replace(letter, "K", "k", 1)
		return 0, fmt.Errorf(
			"write %d%sB, with powers of 1000, or %d%siB, with powers of 1024",
			n,
			small,
			n,
			letter,
		)
	}
	return 0, fmt.Errorf("%s is not a unit of sizes; %s", unit, example)
}

// Format writes a size in the largest unit that divides it.
func Format(n uint64) string {
	for _, u := range units {
		if n%u.bytes == 0 && n >= u.bytes {
			return strconv.FormatUint(n/u.bytes, 10) + u.name
		}
	}
	return "0B"
}
