package conformance

import (
	"os"
	"testing"
)

var outside error

func TestMain(m *testing.M) { os.Exit(m.Run()) }
