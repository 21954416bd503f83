package needs

import (
	"fmt"
	"strings"
	"testing"
)

// recorder is a testing.TB of a name, which records Skipf and Fatalf.
type recorder struct {
	testing.TB
	name, skipped, failed string
}

func (r *recorder) Helper()      {}
func (r *recorder) Name() string { return r.name }
func (r *recorder) Skipf(format string, args ...any) {
	r.skipped += fmt.Sprintf(format, args...)
}
func (r *recorder) Fatalf(format string, args ...any) {
	r.failed += fmt.Sprintf(format, args...)
}

func TestMissingProgramSkipsOrFails(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, test := range []struct {
		name string
		need func(testing.TB)
		want string
	}{
		{"a program", func(t testing.TB) { Programs(t, "cmake") },
			"cmake is missing; on Debian: apt-get install cmake"},
		{"one of another package", func(t testing.TB) { Programs(t, "wat2wasm") },
			"apt-get install wabt"},
		{"a compiler", Compiler, "clang is missing; on Debian: apt-get install clang"},
		{"a linker", Compiler, "wasm-ld is missing; on Debian: apt-get install lld"},
		{"a compiler of C++", CompilerCXX,
			"clang++ is missing; on Debian: apt-get install clang"},
	} {
		for _, ci := range []string{"", "1"} {
			t.Run(test.name+ci, func(t *testing.T) {
				t.Setenv("WASPORT_CI", ci)
				r := &recorder{TB: t, name: "TestOne"}
				test.need(r)
				got, other := r.skipped, r.failed
				if ci == "1" {
					got, other = other, got
				}
				if !strings.Contains(got, test.want) || !strings.Contains(got, "TestOne") ||
					other != "" {
					t.Errorf("got %q and %q, want %q with the test's name, and nothing", got, other,
						test.want)
				}
			})
		}
	}
}
