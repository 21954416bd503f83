package wasi2

import (
	"strings"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/system"
)

var cliEnvironment = table{
	name: "wasi:cli/environment",
	rows: []row{
		{"get-environment", "() -> list<tuple<string, string>>", getEnvironment, nil},
		{"get-arguments", "() -> list<string>", getArguments, nil},
		{"initial-cwd", "() -> option<string>", initialCwd, nil},
	},
}

var cliExit = table{
	name: "wasi:cli/exit",
	rows: []row{
		{"exit", "(status: result)", exit, nil},
		{"exit-with-code", "(status-code: u8)", exitWithCode, nil},
	},
}

var (
	cliStdin  = stdioTable("stdin", "input-stream", getStdin)
	cliStdout = stdioTable("stdout", "output-stream", getOutput(1))
	cliStderr = stdioTable("stderr", "output-stream", getOutput(2))
)

func stdioTable(name, stream string, get func(*Guest, *canon.Call) error) table {
	return table{
		name: "wasi:cli/" + name,
		uses: []use{{"wasi:io/streams", []string{stream}}},
		rows: []row{{"get-" + name, "() -> " + stream, get, nil}},
	}
}

// A terminal is a token without methods: its handle tells that the stream is a terminal.
var (
	cliTerminalInput  = terminalTable("input")
	cliTerminalOutput = terminalTable("output")

	cliTerminalStdin  = terminalStdioTable("stdin", "input", 0)
	cliTerminalStdout = terminalStdioTable("stdout", "output", 1)
	cliTerminalStderr = terminalStdioTable("stderr", "output", 2)
)

func terminalTable(direction string) table {
	resource := "terminal-" + direction
	return table{
		name:  "wasi:cli/" + resource,
		types: "resource " + resource + ";",
		drops: map[string]func(*Guest, uint32) error{resource: dropToken},
	}
}

// dropToken ends a resource without a state.
func dropToken(*Guest, uint32) error { return nil }

func terminalStdioTable(stream, direction string, fd int32) table {
	resource := "terminal-" + direction
	get := func(g *Guest, c *canon.Call) error {
		if g.Terminal(fd) {
			c.Return(canon.Some(canon.Rep(0)))
		} else {
			c.Return(canon.None())
		}
		return nil
	}
	return table{
		name: "wasi:cli/terminal-" + stream,
		uses: []use{{"wasi:cli/" + resource, []string{resource}}},
		rows: []row{{"get-terminal-" + stream, "() -> option<" + resource + ">", get, nil}},
	}
}

func getEnvironment(g *Guest, c *canon.Call) error {
	var list []canon.Value
	for _, entry := range g.Env() {
		name, value, _ := strings.Cut(entry, "=")
		g.ChargeGarbage(len(entry) + 64)
		list = append(list, canon.Tuple(canon.Text(name), canon.Text(value)))
	}
	c.Return(canon.List(list))
	return nil
}

func getArguments(g *Guest, c *canon.Call) error {
	var list []canon.Value
	for _, a := range g.Args() {
		g.ChargeGarbage(len(a) + 32)
		list = append(list, canon.Text(a))
	}
	c.Return(canon.List(list))
	return nil
}

// initialCwd returns none: the preopened directories have names, and none of them is the working
// directory.
func initialCwd(_ *Guest, c *canon.Call) error {
	c.Return(canon.None())
	return nil
}

func exit(g *Guest, c *canon.Call) error { return g.exit(uint32(c.Arg(0).Case())) }

func exitWithCode(g *Guest, c *canon.Call) error { return g.exit(uint32(c.Arg(0).Uint())) }

// exit ends the guest once everything is sent that its streams have taken, as a system sends what a
// process has written before its end.
func (g *Guest) exit(code uint32) error {
	g.Finish()
	g.Kill(&system.Exit{Code: code})
	return nil
}

// standard returns the description of a standard stream, of which there is one for all handles.
func (g *Guest) standard(fd int32) *description {
	if g.stdio[fd] == nil {
		g.stdio[fd] = &description{fd: fd, of: ofStream, permanent: true}
	}
	return g.stdio[fd]
}

func getStdin(g *Guest, c *canon.Call) error {
	rep, err := put(g, &g.inputs, newInput(g.standard(0)))
	c.Return(canon.Rep(rep))
	return err
}

func getOutput(fd int32) func(*Guest, *canon.Call) error {
	return func(g *Guest, c *canon.Call) error {
		rep, err := put(g, &g.outputs, newOutput(g.standard(fd)))
		c.Return(canon.Rep(rep))
		return err
	}
}
