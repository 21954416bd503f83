package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/printable"
)

// printComponent prints what inspect says of a component: its versions of WASI, its functions by
// interface, and its core modules.
func printComponent(mod *wasport.Module, imports []wasport.Import) {
	if list := wasiVersions(mod, imports); len(list) > 0 {
		fmt.Fprintf(stdout, "speaks WASI 0.2 (%s)\n", strings.Join(list, ", "))
	} else {
		fmt.Fprintln(stdout, "speaks to nobody: it imports nothing of WASI")
	}
	if run, err := mod.Function(""); err == nil {
		iface, _, _ := strings.Cut(run.Name, "#")
		fmt.Fprintf(stdout, "a command: it exports %s\n", printable.Name(iface))
	}
	printInterfaces(imports)
	modules, size := mod.CoreModules(), 0
	for _, m := range modules {
		size += m.Size
	}
	text := fmt.Sprintf("core modules: %d, %s", len(modules), formatSize(uint64(size)))
	if m, ok := mod.Memory(); ok {
		text += fmt.Sprintf("; memory %s, up to %s", formatSize(m.Min), formatSize(m.Max))
	}
	fmt.Fprintln(stdout, "\n"+text)
}

// printInterfaces prints the imported functions, each interface before its own.
func printInterfaces(imports []wasport.Import) {
	if len(imports) == 0 {
		return
	}
	fmt.Fprintln(stdout, "\nimports")
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	last := ""
	for _, i := range imports {
		if i.Module != last {
			w.Flush()
			fmt.Fprintf(stdout, "  %s\n", printable.Name(i.Module))
			last = i.Module
		}
		if i.Name == "" { // all of an interface
			fmt.Fprintf(w, "    %s  %s\n", i.Want, importState(i))
			continue
		}
		fmt.Fprintf(w, "    %s\t%s\t%s\n", printable.Name(i.Name), printable.Text(i.Want),
			importState(i))
	}
	w.Flush()
}

// lackingBesides returns the interfaces and types that the host lacks and that no function among
// the imports tells of. A component imports an interface for its types alone, too.
func lackingBesides(ctx context.Context, rt *wasport.Runtime, wasm []byte,
	imports []wasport.Import) (list []wasport.Import) {
	mod, err := rt.Compile(ctx, wasm, wasport.CompileConfig{})
	if err == nil {
		mod.Close(ctx)
		return nil
	}
	lacking := (*wasport.ImportError)(nil)
	if !errors.As(err, &lacking) {
		return nil
	}
	for _, i := range lacking.Imports {
		if !slices.ContainsFunc(imports, func(told wasport.Import) bool {
			return told.Module == i.Module && (i.Name == "" || told.Name == i.Name)
		}) {
			list = append(list, i)
		}
	}
	return list
}

// wasiVersions lists the versions of WASI that the imports and the exported run have, in the order
// in which they occur.
func wasiVersions(mod *wasport.Module, imports []wasport.Import) (list []string) {
	names := make([]string, 0, len(imports)+1)
	for _, i := range imports {
		names = append(names, i.Module)
	}
	if run, err := mod.Function(""); err == nil {
		names = append(names, run.Name)
	}
	seen := make(map[string]bool)
	for _, name := range names {
		name, _, _ = strings.Cut(name, "#")
		_, version, _ := strings.Cut(name, "@")
		if strings.HasPrefix(name, "wasi:") && version != "" && !seen[version] {
			seen[version] = true
			list = append(list, printable.Name(version))
		}
	}
	return list
}
