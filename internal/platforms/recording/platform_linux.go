package recording

import (
	"os"
	"runtime"
)

// platform names the platform that the test runs on. WASPORT_EMULATED=1 says that qemu-user runs
// the test, WASPORT_GRAMINE=1 that it has only Gramine's system calls.
func platform() string {
	switch {
	case os.Getenv("WASPORT_GRAMINE") == "1":
		return "gramine"
	case portable:
		return "portable"
	case os.Getenv("WASPORT_EMULATED") == "1":
		return runtime.GOARCH
	}
	return "linux"
}
