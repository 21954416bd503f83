package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/printable"
)

const inspectBefore = `wasport inspect [--json] FILE.wasm says what a module imports, and whether it can be run.

The exit status is 0 if it can be run, 1 if it cannot, and 2 if the file is no module.
`

type inspectFlags struct{ json bool }

func (f *inspectFlags) page() page {
	output := newGroup("Output")
	output.BoolVar(&f.json, "json", false, "print it as a JSON object, for programs")
	return page{command: "inspect", before: inspectBefore, groups: []group{output}}
}

func inspect(args []string) error {
	var f inspectFlags
	rest, done, err := f.page().parse(args)
	if done || err != nil {
		return err
	}
	if len(rest) != 1 {
		return usage("inspect", "one module is inspected at a time: wasport inspect FILE.wasm")
	}
	file := rest[0]
	wasm, err := readModule(file)
	if err != nil {
		return err
	}
	ctx := context.Background()
	// Nothing is run, so the quickest way of compiling is the best.
	rt, mod, err := compile(ctx, wasm, wasport.RuntimeConfig{Interpreter: true},
		wasport.CompileConfig{TrapUnknownImports: true})
	if err != nil {
		return &exit{statusUsage, unfit(file, err)}
	}
	defer rt.Close(ctx)

	end := judge(mod)
	if f.json {
		err = printJSON(os.Stdout, file, len(wasm), mod, end)
	} else {
		printText(file, len(wasm), mod, end)
	}
	if err == nil && !end.runnable {
		return &exit{status: statusFailure}
	}
	return err
}

// verdict says whether a module can be run, and why not.
type verdict struct {
	runnable bool
	start    bool // by itself, not only its functions
	reason   string
	trap     bool // it can with --unknown-imports=trap
}

func judge(mod *wasport.Module) verdict {
	lacking := slices.DeleteFunc(mod.Imports(), wasport.Import.OK)
	if len(lacking) > 0 {
		return verdict{
			reason: fmt.Sprintf("%d of its imports cannot be supplied", len(lacking)),
			trap: !slices.ContainsFunc(lacking,
				func(i wasport.Import) bool { return !i.IsFunction() }),
		}
	}
	if _, err := mod.Function(""); err == nil {
		return verdict{runnable: true, start: true}
	}
	if len(mod.Functions()) > 0 {
		return verdict{runnable: true}
	}
	return verdict{reason: "it exports no function"}
}

func printText(file string, bytes int, mod *wasport.Module, end verdict) {
	file = printable.Name(file)
	imports := mod.Imports()
	fmt.Printf("%s: core module, %s\n", file, size(uint64(bytes)))
	fmt.Printf("speaks %s\n", dialects(imports))
	printGo(mod)
	printImports(imports)
	printExports(mod)
	fmt.Println()
	switch {
	case end.start:
		fmt.Printf("It can be run: wasport run %s\n", file)
	case end.runnable:
		fmt.Printf("It has no _start, but its functions can be called: wasport run -f NAME %s\n",
			file)
	default:
		fmt.Printf("It cannot be run: %s.\n", end.reason)
	}
	if end.trap {
		fmt.Println("--unknown-imports=trap runs it with functions in their place that trap when " +
			"they are called.")
	}
}

// printGo says how a program of Go is treated, and whether it can open sockets.
func printGo(mod *wasport.Module) {
	if !mod.ByGo() {
		return
	}
	fmt.Println("made by Go's compiler: sockets of --listen are handed over in non-blocking mode")
	if opensNoSockets(mod) {
		fmt.Println("it opens no sockets of its own; see docs/languages.md#go")
	}
}

// dialects says which interfaces a module was built for.
func dialects(imports []wasport.Import) string {
	list := joinDialects(wasport.Dialects(imports))
	if list == "" {
		return "to nobody: it imports no function"
	}
	return list
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
	fmt.Println("\nimports")
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, i := range imports {
		state := "ok"
		switch {
		case i.OK():
		case i.Have == "":
			state = "missing"
		default:
			state = "here it is " + i.Have
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", i.FullName(), i.Want, state)
	}
	w.Flush()
}

func printExports(mod *wasport.Module) {
	if functions := mod.Functions(); len(functions) > 0 {
		fmt.Println("\nexported functions")
		for _, f := range functions {
			fmt.Printf("  %v\n", f)
		}
	}
	if m, ok := mod.Memory(); ok {
		from := ""
		if m.Import != "" {
			from = ", imported from " + m.Import
		}
		if m.Shared {
			from += ", shared by threads"
		}
		fmt.Printf("\nmemory: %s, up to %s%s\n", size(m.Min), size(m.Max), from)
	}
}

// size prints a number of bytes to one decimal of the unit that suits it.
func size(n uint64) string {
	value, unit := float64(n), "bytes"
	for _, larger := range []string{"KiB", "MiB", "GiB"} {
		if value < 1024 {
			break
		}
		value, unit = value/1024, larger
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0") + " " + unit
}
