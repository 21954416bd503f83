package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// endOfInput is the key that ends the input at the beginning of a line (termios(3), VEOF).
const endOfInput = "\x04"

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
	master, slave := openPTY(t)
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

func openPTY(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { master.Close() })
	conn, err := master.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number int
	conn.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err != nil {
		t.Skip(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	return master, slave
}
