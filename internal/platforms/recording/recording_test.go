package recording

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestOtherPlatformsKeepWhatDiffers(t *testing.T) {
	dir := t.TempDir()
	for _, platform := range []string{linux, "other"} {
		if err := os.Mkdir(filepath.Join(dir, platform), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	same, bind, recv := Line{"a", "good", "0"}, Line{"bind", "in use", "EADDRINUSE"},
		Line{"recv", "reset", "0"}
	otherBind, extra := Line{"bind", "in use", "success"}, Line{"send", "reset", "EPIPE"}
	absent := Line{"recv", "reset", Absent}
	if err := write(dir, linux, "file", []Line{same, bind, recv}); err != nil {
		t.Fatal(err)
	}
	if err := write(dir, "other", "file", []Line{same, otherBind, extra}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		read func() ([]Line, error)
		want []Line
	}{
		{"Linux", func() ([]Line, error) { return Read(dir, linux, "file") },
			[]Line{same, bind, recv}},
		{"the file", func() ([]Line, error) { return parseFile(filepath.Join(dir, "other/file")) },
			[]Line{otherBind, extra, absent}},
		{"another platform", func() ([]Line, error) { return Read(dir, "other", "file") },
			[]Line{same, otherBind, absent, extra}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := test.read(); err != nil || !slices.Equal(got, test.want) {
				t.Errorf("got %v, %v, want %v", got, err, test.want)
			}
		})
	}
}
