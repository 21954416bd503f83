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

const inspectBefore = `wasport inspect FILE.wasm says what a module imports, and whether it can be run.

The exit status is 0 if it can be run, 1 if it cannot, and 2 if the file is no module.
`

func inspectPage() page { return page{command: "inspect", before: inspectBefore} }

func inspect(args []string) error {
	rest, done, err := inspectPage().parse(args)
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
	rt, mod, err := compile(ctx, wasm, wasport.RuntimeConfig{Interpreter: true}, wasport.CompileConfig{TrapUnknownImports: true})
	if err != nil {
		return &exit{statusUsage, unfit(file, err)}
	}
	defer rt.Close(ctx)

	imports := mod.Imports()
	file = printable.Name(file)
	fmt.Printf("%s: core module, %s\n", file, size(uint64(len(wasm))))
	fmt.Printf("speaks %s\n", dialects(imports))
	printImports(imports)
	printExports(mod)
	lacking := slices.DeleteFunc(imports, wasport.Import.OK)
	fmt.Println()
	if len(lacking) > 0 {
		fmt.Printf("It cannot be run: %d of its imports cannot be supplied.\n", len(lacking))
		if !slices.ContainsFunc(lacking, func(i wasport.Import) bool { return !i.IsFunction() }) {
			fmt.Println("--unknown-imports=trap runs it with functions in their place that trap when they are called.")
		}
		return &exit{status: statusFailure}
	}
	if _, err := mod.Function(""); err == nil {
		fmt.Printf("It can be run: wasport run %s\n", file)
		return nil
	}
	if len(mod.Functions()) > 0 {
		fmt.Printf("It has no _start, but its functions can be called: wasport run -f NAME %s\n", file)
		return nil
	}
	fmt.Println("It cannot be run: it exports no function.")
	return &exit{status: statusFailure}
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
