package main

import (
	"testing"
	"time"

	"github.com/wasport/wasport"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1": time.Millisecond, "1500": 1500 * time.Millisecond, "500ms": 500 * time.Millisecond, "1m30s": 90 * time.Second,
		"0": 0, "0s": 0, "-1": 0, "-3s": 0, "": 0, "abc": 0, "5 s": 0, "10y": 0, "99999999999": 0,
	} {
		got, err := parseDuration(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]uint64{
		"1": 1, "65536": 65536, "1KiB": 1 << 10, "64MiB": 64 << 20, "4GiB": 4 << 30, "4 GiB": 4 << 30, "17179869183GiB": 17179869183 << 30,
		"0": 0, "-1": 0, "": 0, "GiB": 0, "1.5GiB": 0, "64MB": 0, "64M": 0, "17179869184GiB": 0, "99999999999999999999": 0,
	} {
		got, err := parseSize(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestParseDir(t *testing.T) {
	for text, want := range map[string]wasport.Dir{
		".":              {Host: "."},
		"data:ro":        {Host: "data", ReadOnly: true},
		"data::/d":       {Host: "data", Guest: "/d"},
		"data::/d:ro":    {Host: "data", Guest: "/d", ReadOnly: true},
		`C:\data::/d:ro`: {Host: `C:\data`, Guest: "/d", ReadOnly: true},
		"":               {},
		"::/d":           {},
		":ro":            {},
	} {
		got, err := parseDir(text)
		if got != want || (err == nil) != (want != wasport.Dir{}) {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestParseListen(t *testing.T) {
	for text, want := range map[string]address{
		"tcp://127.0.0.1:8080": {"tcp", "127.0.0.1:8080"},
		"tcp://:0":             {"tcp", ":0"},
		"udp://[::1]:53":       {"udp", "[::1]:53"},
		"tcp://localhost:80":   {"tcp", "localhost:80"},
		"127.0.0.1:8080":       {},
		"http://127.0.0.1:80":  {},
		"tcp://127.0.0.1":      {},
		"tcp://::1:80":         {},
		"tcp://127.0.0.1:http": {},
		"tcp://127.0.0.1:":     {},
		"tcp://":               {},
		"":                     {},
	} {
		got, err := parseListen(text)
		if got != want || (err == nil) != (want != address{}) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseServer(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1:5353": "127.0.0.1:5353", "127.0.0.1": "127.0.0.1:53", "::1": "[::1]:53", "[::1]:5353": "[::1]:5353",
		"dns.test:53": "dns.test:53", "dns.test": "", "": "", ":53": "", "127.0.0.1:dns": "", "127.0.0.1:99999": "", "[::1]": "",
	} {
		got, err := parseServer(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	names := []string{"allow-connect", "allow-listen", "deny-connect", "dir", "env", "trace", "timeout"}
	for got, want := range map[string]string{
		"allow-conect": "allow-connect", "alow-listen": "allow-listen", "tiemout": "timeout", "Trace": "trace", "dirs": "dir",
		"frobnicate": "", "x": "", "": "",
	} {
		if want != "" {
			want = "; did you mean --" + want + "?"
		}
		if s := didYouMean("--", got, names); s != want {
			t.Errorf("%q: %q, want %q", got, s, want)
		}
	}
}
