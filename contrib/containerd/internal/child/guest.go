package child

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/contrib/containerd/internal/artifact"
	"github.com/wasport/wasport/contrib/containerd/internal/bundle"
	"github.com/wasport/wasport/contrib/containerd/internal/node"
	"github.com/wasport/wasport/contrib/containerd/internal/rootfs"
	"github.com/wasport/wasport/policy"
)

// guest is a guest that is ready to run.
type guest struct {
	module *wasport.Module
	config wasport.Config
	log    *reportLog
}

// fetcher returns a module with a name that the container's image has outside of its files.
type fetcher func(name string) ([]byte, error)

// newGuest reads the policy and the module from the container's tree, and compiles the module.
func newGuest(ctx context.Context, b *bundle.Bundle, c *node.Config, tree *rootfs.Tree,
	fetch fetcher) (*guest, error) {
	if err := checkAnnotations(b.Spec.Annotations); err != nil {
		return nil, err
	}
	p, err := readPolicy(b, c, tree)
	if err != nil {
		return nil, err
	}
	process := b.Spec.Process
	cwd, err := tree.WorkingDir(process.Cwd)
	if err != nil {
		return nil, err
	}
	wasm, err := readModule(tree, process, fetch)
	if err != nil {
		return nil, err
	}
	module, err := compile(ctx, c.CacheDir, uint64(c.CacheSize), wasm)
	if err != nil {
		return nil, fmt.Errorf("module %q: %w", process.Args[0], err)
	}
	log := &reportLog{out: os.Stderr}
	g := &guest{module: module, log: log, config: wasport.Config{
		Args: process.Args, Env: withWorkingDir(process.Env, process.Cwd),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Dirs:   dirs(cwd),
		Policy: p, OnRefusal: log.refusal, OnDeniedPeer: log.refusal, OnFiltered: log.filtered,
		OnLimit:   log.limit,
		MaxMemory: memoryLimit(b, c), MaxThreads: c.Limits.Threads,
		MaxDescriptors: c.Limits.Descriptors, MaxSocketMemory: uint64(c.Limits.SocketMemory),
	}}
	g.config.SearchDomains, g.config.Ndots = searchDomains(tree.Resolver())
	if b.Spec.Annotations[auditAnnotation] == "true" {
		g.config.Audit = slog.New(slog.NewJSONHandler(os.Stderr,
			&slog.HandlerOptions{ReplaceAttr: withoutHint}))
	}
	if b.Spec.Annotations[traceAnnotation] == "true" {
		g.config.Trace = os.Stderr
	}
	return g, nil
}

// dirs returns the container's tree and, if it is not the root, its working directory. wasi-libc
// takes their names for the same, and uses the last: the tree, so that absolute paths are those of
// the container. Each mount has its own mode: a volume may be written to where the root may not.
func dirs(cwd string) []wasport.Dir {
	root := wasport.Dir{Host: rootfs.Guest, Guest: "/"}
	if cwd == rootfs.Guest {
		return []wasport.Dir{root}
	}
	return []wasport.Dir{{Host: cwd, Guest: "."}, root}
}

// readPolicy finds the policy of a pod, and puts it under the ceiling.
func readPolicy(b *bundle.Bundle, c *node.Config, tree *rootfs.Tree) (*policy.Policy, error) {
	annotations := b.Spec.Annotations
	for _, key := range []string{policyAnnotation + "." + b.ContainerName(), policyAnnotation} {
		if text, ok := annotations[key]; ok {
			return c.Policy("annotation "+key, &text)
		}
	}
	file, ok := annotations[policyFileAnnotation]
	if !ok {
		return c.Policy("", nil)
	}
	text, err := tree.ReadFixed(file, node.MaxPolicy)
	if err != nil {
		return nil, fmt.Errorf("annotation %s: %w", policyFileAnnotation, err)
	}
	s := string(text)
	return c.Policy(file, &s)
}

// readModule reads the module from the container's files or, if there is no such file, from its
// image.
func readModule(tree *rootfs.Tree, p *specs.Process, fetch fetcher) ([]byte, error) {
	file, err := findModule(tree, p.Args[0], p.Cwd, p.Env)
	var wasm []byte
	if err == nil {
		wasm, err = tree.ReadFile(file, artifact.MaxModule)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return wasm, err
	}
	wasm, fetchErr := fetch(path.Base(p.Args[0]))
	if fetchErr != nil {
		return nil, fmt.Errorf("%w; %w", err, fetchErr)
	}
	return wasm, nil
}

// findModule returns the path of the module in the container. A name without a slash is looked for
// in PATH, as that of a program (execvp(3)), and in the working directory.
func findModule(tree *rootfs.Tree, name, cwd string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		if !path.IsAbs(name) {
			name = path.Join(cwd, name)
		}
		return name, nil
	}
	search := []string{cwd}
	for _, e := range env {
		if list, ok := strings.CutPrefix(e, "PATH="); ok {
			search = append(strings.Split(list, ":"), cwd)
		}
	}
	for _, dir := range search {
		if at := path.Join("/", dir, name); tree.IsFile(at) {
			return at, nil
		}
	}
	return "", fmt.Errorf("%q in %s: %w", name, strings.Join(search, ":"), fs.ErrNotExist)
}

// withWorkingDir adds PWD to an environment that lacks it. A module has no working directory but
// by this variable.
func withWorkingDir(env []string, cwd string) []string {
	has := slices.ContainsFunc(env, func(e string) bool { return strings.HasPrefix(e, "PWD=") })
	if has {
		return env
	}
	return append(slices.Clone(env), "PWD="+cwd)
}

// memoryLimit is the container's limit of memory, which the kernel holds as well. A guest meets
// ENOMEM there if it asks for more at once.
func memoryLimit(b *bundle.Bundle, c *node.Config) uint64 {
	if l := b.Spec.Linux; l != nil && l.Resources != nil && l.Resources.Memory != nil {
		if limit := l.Resources.Memory.Limit; limit != nil && *limit > 0 {
			return uint64(*limit)
		}
	}
	return uint64(c.Limits.Memory)
}
