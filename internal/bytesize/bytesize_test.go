package bytesize_test

import (
	"math"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/bytesize"
)

func TestParseOfSize(t *testing.T) {
	for text, want := range map[string]uint64{
		"1": 1, "65536": 65536, "7B": 7, "1kB": 1e3, "64MB": 64e6, "2GB": 2e9, "3TB": 3e12,
		"1KiB": 1 << 10, "64MiB": 64 << 20, "4GiB": 4 << 30, "4 GiB": 4 << 30, "1TiB": 1 << 40,
		"17179869183GiB": 17179869183 << 30, "18446744073709551615": math.MaxUint64,
	} {
		if got, err := bytesize.Parse(text); got != want || err != nil {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
}

func TestParseOfWrongSize(t *testing.T) {
	for text, want := range map[string]string{
		"": "not a size", "0": "not a size", "0MB": "not a size", "-1": "not a size",
		"GiB":    "not a size",
		"1.5GiB": "not a size", "1e3": "not a size", "4  GiB": "not a size", "64MiB ": "not a size",
		"99999999999999999999": "not a size", "17179869184GiB": "more than any size",
		"64M": "64MB, with powers of 1000, or 64MiB", "64k": "64kB, with powers of 1000, or 64KiB",
		"2G": "2GB, with powers of 1000, or 2GiB", "1KB": "1kB, with powers of 1000, or 1KiB",
		"1kb": "1kB, with powers of 1000, or 1KiB", "1mb": "1MB, with", "1Mb": "1MB, with",
		"1Gi":    "1GB, with",
		"1bytes": "bytes is not a unit", "1ms": "ms is not a unit", "1mib": "1MB, with",
		"1b": "b is not a unit", "5min": "min is not a unit",
	} {
		if got, err := bytesize.Parse(text); got != 0 || err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %d, %v, want an error with %q", text, got, err, want)
		}
	}
}

func TestFormatOfSize(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0B", 1: "1B", 999: "999B", 1000: "1kB", 1024: "1KiB", 1500: "1500B", 64 << 20: "64MiB",
		64e6: "64MB", 1 << 40: "1TiB",
	} {
		got := bytesize.Format(n)
		if got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
		if back, err := bytesize.Parse(got); n != 0 && (back != n || err != nil) {
			t.Errorf("%s: got %d, %v, want %d", got, back, err, n)
		}
	}
}
