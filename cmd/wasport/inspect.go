package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/printable"
)

const inspectBefore = `wasport inspect [--json] FILE.wasm lists the imports and exports of a module
or component, and says whether wasport can run it.
`

const inspectAfter = `
Exit status
      0     wasport can run the module
      1     wasport cannot run it
      2     the command line is wrong, or the file is no module
`

type inspectFlags struct{ json bool }

func (f *inspectFlags) page() page {
	output := newGroup("Output")
	output.BoolVar(&f.json, "json", false, "print a JSON object")
	return page{command: "inspect", before: inspectBefore, after: inspectAfter,
		groups: []group{output}}
}

// inspect is the subcommand inspect.
func inspect(args []string) error {
	var f inspectFlags
	rest, done, err := f.page().parse(args)
	if done || err != nil {
		return err
	}
	if len(rest) != 1 {
		return usageError("inspect", "one module is inspected at a time: wasport inspect FILE.wasm")
	}
	ctx, file := context.Background(), rest[0]
	wasm, err := readModule(ctx, file)
	if err != nil {
		return err
	}
	// inspect runs no code, so it avoids the cost of machine code.
	rt, mod, err := compile(ctx, wasm, wasport.RuntimeConfig{Interpreter: true},
		wasport.CompileConfig{TrapUnknownImports: true})
	if err != nil {
		return &exitError{statusUsage, unfitError(file, err)}
	}
	defer rt.Close(ctx)

	imports := mod.Imports()
	if mod.Kind() == wasport.Component {
		imports = append(imports, lackingBesides(ctx, rt, wasm, imports)...)
	}
	v := judgeModule(mod, imports)
	if f.json {
		err = printJSON(stdout, file, len(wasm), mod, imports, v)
	} else {
		printText(file, len(wasm), mod, imports, v)
	}
	if err == nil && !v.runnable {
		return &exitError{status: statusFailure}
	}
	return err
}

// verdict says whether wasport can run a module.
type verdict struct {
	runnable bool
	// start says that the module has a _start, so that it needs no --function.
	start bool
	// reason says why it is not runnable.
	reason string
	// trap says that --unknown-imports=trap makes it runnable.
	trap bool
}

func judgeModule(mod *wasport.Module, imports []wasport.Import) verdict {
	lacking := slices.DeleteFunc(slices.Clone(imports), wasport.Import.OK)
	if len(lacking) > 0 {
		return verdict{
			reason: fmt.Sprintf("%d of its imports cannot be supplied", len(lacking)),
			trap: !slices.ContainsFunc(lacking,
				func(i wasport.Import) bool { return !i.IsFunction() }),
		}
	}
	// A guest may have one page less than 4 GiB (Config.MaxMemory).
	if m, ok := mod.Memory(); ok && m.Min == 1<<32 {
		return verdict{reason: "it starts with 4 GiB of memory, and may have 64 KiB less"}
	}
	if _, err := mod.Function(""); err == nil {
		return verdict{runnable: true, start: true}
	}
	if mod.Kind() == wasport.Component {
		return verdict{reason: "it is no command: it does not export wasi:cli/run"}
	}
	if len(mod.Functions()) > 0 {
		return verdict{runnable: true}
	}
	return verdict{reason: "it exports no function"}
}

func printText(file string, bytes int, mod *wasport.Module, imports []wasport.Import, v verdict) {
	file = printable.Name(file)
	fmt.Fprintf(stdout, "%s: %v, %s\n", file, mod.Kind(), formatSize(uint64(bytes)))
	if mod.Kind() == wasport.Component {
		printComponent(mod, imports)
	} else {
		fmt.Fprintf(stdout, "speaks %s\n", describeDialects(imports))
		printGoNotes(mod)
		printImports(imports)
		printExports(mod)
	}
	fmt.Fprintln(stdout)
	switch {
	case v.start:
		fmt.Fprintf(stdout, "It can be run: wasport run %s\n", file)
	case v.runnable:
		fmt.Fprintf(stdout, "It has no _start(), but its functions can be called: "+
			"wasport run -f NAME %s\n", file)
	default:
		fmt.Fprintf(stdout, "It cannot be run: %s.\n", v.reason)
	}
	if v.trap {
		fmt.Fprintln(stdout, "--unknown-imports=trap runs it with functions in their place "+
			"that trap when they are called.")
	}
}

// printGoNotes says how wasport treats a Go program, and whether that can open sockets.
func printGoNotes(mod *wasport.Module) {
	if !mod.ByGo() {
		return
	}
	fmt.Fprintln(stdout,
		"made by Go's compiler: sockets of --listen are handed over in non-blocking mode")
	if lacksSocketImports(mod) {
		fmt.Fprintln(stdout, "it opens no sockets of its own; see docs/languages.md#go")
	}
}

// describeDialects names the interfaces that a module was built for.
func describeDialects(imports []wasport.Import) string {
	if list := joinDialects(wasport.Dialects(imports)); list != "" {
		return list
	}
	return "to nobody: it imports no function"
}

func joinDialects(dialects []wasport.Dialect) string {
	list := make([]string, 0, len(dialects))
	for _, d := range dialects {
		list = append(list, string(d))
	}
	return strings.Join(list, ", ")
}

func printImports(imports []wasport.Import) {
	if len(imports) == 0 {
		return
	}
	fmt.Fprintln(stdout, "\nimports")
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	for _, i := range imports {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", i.FullName(), i.Want, importState(i))
	}
	w.Flush()
}

// importState says whether an import can be supplied.
func importState(i wasport.Import) string {
	switch {
	case i.OK():
		return "ok"
	case i.Reason != "":
		return printable.Text(i.Reason)
	case i.Have == "":
		return "missing"
	}
	return "here it is " + printable.Text(i.Have)
}

func printExports(mod *wasport.Module) {
	if functions := mod.Functions(); len(functions) > 0 {
		fmt.Fprintln(stdout, "\nexported functions")
		for _, f := range functions {
			fmt.Fprintf(stdout, "  %v\n", f)
		}
	}
	if m, ok := mod.Memory(); ok {
		suffix := ""
		if m.Import != "" {
			suffix = ", imported from " + m.Import
		}
		if m.Shared {
			suffix += ", shared by threads"
		}
		fmt.Fprintf(stdout, "\nmemory: %s, up to %s%s\n",
			formatSize(m.Min), formatSize(m.Max), suffix)
	}
}

// formatSize formats a number of bytes in the largest unit below it, with one decimal.
func formatSize(n uint64) string {
	value, unit := float64(n), "bytes"
	for _, larger := range []string{"KiB", "MiB", "GiB"} {
		if value < 1024 {
			break
		}
		value, unit = value/1024, larger
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0") + " " + unit
}
