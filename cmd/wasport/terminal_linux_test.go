package main

import (
	"os/exec"
	"syscall"

	"github.com/wasport/wasport/internal/needs"
	"github.com/wasport/wasport/internal/testutil"
)

// endOfInput is the key that ends the input at the beginning of a line (termios(3), VEOF).
const endOfInput = "\x04"

// otherKey has no character. A terminal sends characters for each key.
const otherKey = ""

// defaultInterrupt is the exit status of package os for a program that a signal ended.
const defaultInterrupt = -1

var interrupts = []struct {
	name  string
	press func(*terminal)
}{
	{"Ctrl-C", func(c *terminal) { c.press("\x03") }},
}

// startOnTerminal starts the command in a session of its own on a pseudo-terminal (pty(7)).
func startOnTerminal(c *terminal, args []string) {
	t := c.t
	master, slave, err := testutil.OpenPTY(t)
	if err != nil {
		needs.Missing(t, err)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	c.keys = master
	c.kill = func() { cmd.Process.Kill() }
	c.wait = func() int {
		cmd.Wait()
		return cmd.ProcessState.ExitCode()
	}
	go c.collect(master)
}
