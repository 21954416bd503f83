package poll_test

import (
	"os"
	"testing"

	"github.com/wasport/wasport/internal/gramine"
)

func TestMain(m *testing.M) {
	gramine.Enter()
	os.Exit(m.Run())
}
