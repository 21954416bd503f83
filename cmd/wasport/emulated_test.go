package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// runner is m, or with WASPORT_EMULATED=1 one that runs its commands by qemu-user.
func runner(m *testing.M) testscript.TestingM {
	if os.Getenv("WASPORT_EMULATED") == "1" {
		return emulated{m}
	}
	return m
}

// emulated puts the script that started this program in the place of each command, and the program
// beside it, as .ci/emulated does. testscript copies the program alone, which the kernel cannot
// run.
type emulated struct{ *testing.M }

func (m emulated) Run() int {
	dir := filepath.SplitList(os.Getenv("PATH"))[0]
	commands, err := os.ReadDir(dir)
	for _, c := range commands {
		command := filepath.Join(dir, c.Name())
		if err == nil {
			err = os.Rename(command, command+".emulated")
		}
		if err == nil {
			err = os.Symlink(os.Args[0], command)
		}
	}
	if err != nil {
		panic(err)
	}
	return m.M.Run()
}
