package main

import (
	"strings"
	"testing"

	"github.com/wasport/wasport"
)

func TestParseDirOnDrives(t *testing.T) {
	for text, want := range map[string]wasport.Dir{
		`C:\x`:                {Host: `C:\x`},
		`C:/x:ro`:             {Host: `C:/x`, ReadOnly: true},
		`C:\`:                 {Host: `C:\`},
		`.:ro`:                {Host: `.`, ReadOnly: true},
		`.::/data`:            {Host: `.`, Guest: "/data"},
		`C:\:ro`:              {Host: `C:\`, ReadOnly: true},
		`C:\x::/data`:         {Host: `C:\x`, Guest: "/data"},
		`C:\::/data:ro`:       {Host: `C:\`, Guest: "/data", ReadOnly: true},
		`C:.\x`:               {Host: `C:.\x`},
		`\\server\share\x:ro`: {Host: `\\server\share\x`, ReadOnly: true},
		`..\NULL:ro`:          {Host: `..\NULL`, ReadOnly: true},
		`.\C::/data`:          {Host: `.\C`, Guest: "/data"},
	} {
		if got, err := parseDir(text); got != want || err != nil {
			t.Errorf("%q: got %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"C:", "C:ro", "C:data", "C:quota=1G", "C::/data", "C:::/data",
		"C:data::/data"} {
		_, err := parseDir(text)
		if err == nil || !strings.Contains(err.Error(), "two ways") {
			t.Errorf("%q: got %v, want that it can be read in two ways", text, err)
		}
	}
	for _, text := range []string{"NUL", "nul:ro", "NUL::/data", `C:\NUL::/data`, "com1", "data/con",
		`data\PRN.txt\more::/data`, "NUL .x", "CONIN$", `.\LPT9:quota=1MiB`} {
		_, err := parseDir(text)
		if err == nil || !strings.Contains(err.Error(), " is a device of Windows, ") {
			t.Errorf("%q: got %v, want that it is a device", text, err)
		}
	}
	if _, err := parseMapDir("/data::aux"); err == nil {
		t.Error("got a device mapped, want it refused")
	}
	if _, err := parseMapDir("/data::C:data"); err == nil {
		t.Error("got a directory of a drive's current one mapped, want it refused")
	}
}
