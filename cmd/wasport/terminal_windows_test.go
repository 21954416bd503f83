package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/wasport/wasport/internal/needs"
)

// endOfInput is the keys that end the input at the beginning of a line.
const endOfInput = "\x1a\r"

// otherKey is a key without a character, the arrow up (ECMA-48, CUU).
const otherKey = "\x1b[A"

// terminals has files that may be terminals, and whether they are.
var terminals = map[string]bool{os.DevNull: false, os.Args[0]: false}

// TestConsoleWithControlSequences has the program consolemodes print what isTerminal says.
func TestConsoleWithControlSequences(t *testing.T) {
	c := onTerminal(t, "consolemodes")
	c.waitFor("plain false, obeys true")
}

// printConsoleModes is the program consolemodes.
func printConsoleModes() {
	var mode uint32
	h := windows.Handle(os.Stdout.Fd())
	if err := windows.GetConsoleMode(h, &mode); err != nil {
		panic(err)
	}
	const obey = windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING
	var is [2]bool
	for i, m := range []uint32{mode &^ obey, mode | obey} {
		if err := windows.SetConsoleMode(h, m); err != nil {
			panic(err)
		}
		is[i] = isTerminal(os.Stdout)
	}
	fmt.Printf("plain %t, obeys %t\n", is[0], is[1])
}

// defaultInterrupt is STATUS_CONTROL_C_EXIT (ntstatus.h).
const defaultInterrupt = 0xc000013a

var interrupts = []struct {
	name  string
	press func(*terminal)
}{
	{"Ctrl-C", func(c *terminal) { pressControl(c, windows.CTRL_C_EVENT) }},
	{"Ctrl-Break", func(c *terminal) {
		needs.NotWine(c.t)
		pressControl(c, windows.CTRL_BREAK_EVENT)
	}},
}

// keyboard has the keys of a pseudoconsole (Microsoft's reference of CreatePseudoConsole).
type keyboard struct {
	io.Writer
	console windows.Handle
}

// pressControl has a program on the console do what the keys do. Ctrl-Break has no character, and
// at that of Ctrl-C a pseudoconsole of Wine ends.
func pressControl(c *terminal, event int) {
	c.t.Helper()
	process := startOnConsole(c.t, c.keys.(keyboard).console, "control", strconv.Itoa(event))
	windows.WaitForSingleObject(process, windows.INFINITE)
}

func init() {
	maps.Copy(programs, map[string]func(){"consolemodes": printConsoleModes, "control": sendEvent,
		"onconsole": runOnConsole})
}

// sendEvent is the program control. Each program on its console gets the event, itself too
// (Microsoft's reference of GenerateConsoleCtrlEvent).
func sendEvent() {
	event, err := strconv.Atoi(os.Args[1])
	if err == nil {
		err = windows.GenerateConsoleCtrlEvent(uint32(event), 0)
	}
	if err != nil {
		panic(err)
	}
}

// runOnConsole is the program onconsole. It runs a command with its console as standard streams,
// since Wine attaches a program to a pseudoconsole without setting these.
func runOnConsole() {
	signal.Notify(make(chan os.Signal, 1), os.Interrupt) // Ignore keeps the default action
	in, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	out, err := os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, out
	cmd.Run()
	os.Exit(cmd.ProcessState.ExitCode())
}

// startOnTerminal starts the command on a pseudoconsole.
func startOnTerminal(c *terminal, args []string) {
	in, keys, err := os.Pipe()
	if err != nil {
		c.t.Fatal(err)
	}
	text, out, err := os.Pipe()
	if err != nil {
		c.t.Fatal(err)
	}
	var console windows.Handle
	if err := windows.CreatePseudoConsole(windows.Coord{X: 80, Y: 25}, windows.Handle(in.Fd()),
		windows.Handle(out.Fd()), 0, &console); err != nil {
		c.t.Fatal(err)
	}
	in.Close()
	out.Close()
	c.t.Cleanup(func() {
		windows.ClosePseudoConsole(console)
		keys.Close()
		text.Close()
	})
	c.keys = keyboard{keys, console}
	process := startOnConsole(c.t, console, "onconsole", args...)
	c.kill = func() { windows.TerminateProcess(process, 1) }
	c.wait = func() int {
		var status uint32
		windows.WaitForSingleObject(process, windows.INFINITE)
		if err := windows.GetExitCodeProcess(process, &status); err != nil {
			c.t.Error(err)
		}
		return int(status)
	}
	go c.collect(text)
}

// startOnConsole starts a program that is attached to the console.
func startOnConsole(t *testing.T, console windows.Handle, program string,
	args ...string) (process windows.Handle) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	line, err := windows.UTF16PtrFromString(windows.ComposeCommandLine(
		append([]string{path}, args...)))
	if err != nil {
		t.Fatal(err)
	}
	attributes, err := windows.NewProcThreadAttributeList(1)
	if err != nil {
		t.Fatal(err)
	}
	defer attributes.Delete()
	// The value of this attribute is the handle itself, not its address.
	if err := attributes.Update(windows.PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE,
		*(*unsafe.Pointer)(unsafe.Pointer(&console)), unsafe.Sizeof(console)); err != nil {
		t.Fatal(err)
	}
	start := windows.StartupInfoEx{ProcThreadAttributeList: attributes.List()}
	start.Cb = uint32(unsafe.Sizeof(start))
	// The program is not given the standard streams of the test.
	start.Flags = windows.STARTF_USESTDHANDLES
	var info windows.ProcessInformation
	if err := windows.CreateProcess(nil, line, nil, nil, false,
		windows.EXTENDED_STARTUPINFO_PRESENT, nil, nil, &start.StartupInfo, &info); err != nil {
		t.Fatal(err)
	}
	windows.CloseHandle(info.Thread)
	t.Cleanup(func() { windows.CloseHandle(info.Process) })
	return info.Process
}
