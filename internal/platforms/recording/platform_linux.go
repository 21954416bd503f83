package recording

import (
	"os"
	"runtime"

	"github.com/wasport/wasport/internal/gramine"
)

// platform names the platform that the test runs on. WASPORT_EMULATED=1 says that qemu-user runs
// the test.
func platform() string {
	switch {
	case gramine.Inside():
		return "gramine"
	case portable:
		return "portable"
	case os.Getenv("WASPORT_EMULATED") == "1":
		return runtime.GOARCH
	}
	return "linux"
}
