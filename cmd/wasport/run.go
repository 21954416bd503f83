package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/hostpath"
	"github.com/wasport/wasport/policy"
)

var errTimeout = errors.New("the time given by --timeout is over")

// run is the subcommand run.
func run(args []string) error {
	var f runFlags
	words, done, err := f.parse(args)
	if done || err != nil {
		return err
	}
	file := words[0]
	if f.name == "" {
		f.name = file
	}
	ctx := context.Background()
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, f.timeout, errTimeout)
		defer cancel()
	}
	rt, mod, err := f.load(ctx, file)
	if err != nil {
		return err
	}
	defer rt.Close(ctx)
	entry, err := f.findEntry(file, mod, words)
	if err != nil {
		return err
	}
	// An open of a FIFO blocks until its other end is opened (fifo(7)).
	err = callUntilDone(ctx, f.openAll)
	if errors.Is(err, errTimeout) {
		return guestError(f.name, err)
	}
	defer removeUnixPaths(f.config.Sockets)
	if err != nil {
		return err
	}
	f.warnGoWithoutSockets(file, mod)
	return f.runModule(ctx, mod, entry)
}

// parse reads the command line and refuses flags that contradict each other. words has the file
// and its arguments.
func (f *runFlags) parse(args []string) (words []string, done bool, err error) {
	words, done, err = f.page().parse(args)
	if done || err != nil {
		return nil, done, err
	}
	if len(words) == 0 {
		return nil, false, usageError("run", "no module is named: wasport run [flags] FILE.wasm "+
			"[args...]%s", swallowedModule(args))
	}
	if err := f.checkPairs(); err != nil {
		return nil, false, err
	}
	if err := f.parseProxy(); err != nil {
		return nil, false, err
	}
	if err := f.checkOutputs(words[0]); err != nil {
		return nil, false, err
	}
	return words, false, f.checkHostFiles()
}

// checkPairs refuses flags of which one leaves the other without effect.
func (f *runFlags) checkPairs() error {
	switch {
	case f.runtime.NoInterrupt && (f.config.MaxMemory != 0 || f.config.MaxCPU != 0):
		return usageError("run", "--max-memory and --max-cpu have no effect with --no-interrupt; "+
			"leave one or the other out")
	case f.cacheDir != "" && f.cacheDisabled():
		return usageError("run", "--cache-dir has no effect with --no-cache or --interpreter, "+
			"which keep no compiled modules; leave one or the other out")
	case f.listenNonblock && len(f.listen) == 0:
		return usageError("run", "--listen-nonblock has no effect without --listen; leave it out, "+
			"or hand over a socket: --listen tcp://ADDR:PORT")
	case f.trace && f.traceFile != "":
		return usageError("run", "--trace prints on stderr, --trace-file %s writes there; leave "+
			"one of them out", f.traceFile)
	case f.monitoring.learn != "" && f.monitoring.dryRun:
		return usageError("run", "--learn and --dry-run both refuse nothing; leave one of them out")
	}
	return nil
}

// swallowedModule names a module that a flag before it took as its value.
func swallowedModule(args []string) string {
	for i, arg := range args {
		if i > 0 && isModuleName(arg) {
			return fmt.Sprintf("; %s is the value of %s", arg, args[i-1])
		}
	}
	return ""
}

// runModule runs the guest to its end and prints the results of its function.
func (f *runFlags) runModule(ctx context.Context, mod *wasport.Module,
	entry wasport.Function) error {
	// Without interrupts the guest may never yield, so a signal must end the process itself.
	if !f.runtime.NoInterrupt {
		var stop context.CancelFunc
		ctx, stop = withSignals(ctx)
		defer stop()
	}
	status, err := f.startAndWait(ctx, mod)
	if closeErr := callUntilDone(ctx, f.monitoring.closeAll); closeErr != nil {
		warnf("%v", closeErr)
	}
	if err != nil || status.Code != 0 {
		f.reports.failureHints(f.lacks, 3+len(f.config.Dirs), err == nil && !mod.ByGo())
		f.reports.systemHints(f.lacks, f.kernel.Server)
	}
	var misfit *wasport.ConfigError
	if errors.As(err, &misfit) {
		raise := ""
		if misfit.Memory && f.config.MaxMemory != 0 {
			raise = "; raise --max-memory"
		}
		return usageError("", "%s: %w%s", f.name, err, raise)
	}
	if err != nil {
		return guestError(f.name, err)
	}
	if status.Code != 0 {
		return &exitError{status: exitStatus(status.Code)}
	}
	if len(status.Results) > 0 {
		return callUntilDone(ctx, func() error {
			fmt.Fprintln(stdout, entry.Format(status.Results))
			return nil
		})
	}
	return nil
}

// startAndWait starts the guest with the policy reload and the metrics that flags ask for, and
// waits for its end.
func (f *runFlags) startAndWait(ctx context.Context, mod *wasport.Module) (wasport.Status,
	error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	hangup := make(chan os.Signal, 1)
	if f.permissions.hasFiles() || !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(hangup, syscall.SIGHUP)
		defer signal.Stop(hangup)
	}
	quit := notifyQuit()
	defer signal.Stop(quit)
	if f.runtime.NoInterrupt {
		// A collection under way would stop all goroutines until the guest returns, since nothing
		// stops the guest's.
		runtime.GC()
	}
	guest, err := mod.Start(ctx, f.config)
	if err != nil {
		return wasport.Status{}, err
	}
	done := make(chan struct{})
	defer close(done)
	// The end does not wait for this goroutine: a policy file that has become a FIFO blocks it.
	go func() {
		for {
			select {
			case <-hangup:
				if !f.permissions.hasFiles() {
					cancel(signalError{syscall.SIGHUP})
					return
				}
				f.permissions.reload(guest, f.monitoring.learnFile)
			case <-done:
				return
			}
		}
	}()
	go printStacksOnQuit(quit, guest, f.runtime.NoInterrupt, done)
	if l := f.monitoring.listener; l != nil {
		defer serveMetrics(l, guest)()
	}
	status, err := guest.Wait()
	f.lacks = guest.Lacks()
	return status, err
}

// guestError is the error for a guest that an error, a trap, a limit or a signal ended.
func guestError(name string, err error) error {
	var trap *wasport.Trap
	var signal signalError
	switch {
	case errors.As(err, &trap):
		return &exitError{statusTrap, fmt.Errorf("%w%s", err, formatStack(trap.Stack))}
	case errors.Is(err, wasport.ErrCPU):
		return &exitError{statusTimeout, fmt.Errorf("%s: %w (--max-cpu)", name, err)}
	case errors.Is(err, errTimeout):
		return &exitError{statusTimeout, fmt.Errorf("%s: %w", name, err)}
	case errors.As(err, &signal):
		return &exitError{status: statusSignal + int(signal.Signal)}
	}
	return fmt.Errorf("%s: %w", name, err)
}

// formatStack indents the lines of a trap's stack: a line for each frame, and below it, after a
// tab, its place in the sources.
func formatStack(stack string) string {
	var b strings.Builder
	for line := range strings.Lines(stack) {
		line = strings.TrimSuffix(line, "\n")
		source, isSource := strings.CutPrefix(line, "\t")
		switch {
		case isSource:
			line = "     " + source
		case !strings.HasPrefix(line, "..."): // "... more frames" is no frame
			line = "at " + line
		}
		b.WriteString("\n  " + line)
	}
	return b.String()
}

// findEntry finds the function to start with, and sorts the words of the command line into
// arguments of the program and of the function.
func (f *runFlags) findEntry(file string, mod *wasport.Module, words []string) (wasport.Function,
	error) {
	f.config.Args = words
	if mod.Kind() == wasport.Component {
		return f.findCommand(file, mod)
	}
	entry, err := mod.Function(f.config.Function)
	if err != nil {
		hint := "; it exports no function at all"
		if exported := mod.Functions(); len(exported) > 0 {
			hint = "; wasport run -f NAME calls one of these:"
			for _, e := range exported {
				hint += "\n  " + e.String()
			}
		}
		return entry, usageError("", "%s: %w%s", file, err, hint)
	}
	if f.config.Function == "" {
		return entry, nil
	}
	f.config.Args = words[:1]
	if f.config.Params, err = entry.Parse(words[1:]); err != nil {
		return entry, usageError("", "%s: %w; it is %v", file, err, entry)
	}
	return entry, nil
}

// findCommand finds the function run of a component, and refuses flags that only core modules have
// a use for.
func (f *runFlags) findCommand(file string, mod *wasport.Module) (wasport.Function, error) {
	if f.config.Function != "" {
		return wasport.Function{}, usageError("run", "%s is a component, which is run by its "+
			"wasi:cli/run; leave --function out, which calls functions of core modules", file)
	}
	if len(f.listen) > 0 {
		return wasport.Function{}, usageError("run", "%s is a component, which cannot be given "+
			"open sockets; leave --listen out and let it listen itself: "+
			"--allow-listen tcp://ADDR:PORT", file)
	}
	run, err := mod.Function("")
	if err != nil {
		return run, usageError("", "%s: %w", file, err)
	}
	return run, nil
}

// openAll opens the files and sockets that flags name and completes the guest's configuration.
func (f *runFlags) openAll() error {
	c := &f.config
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.Dirs = append(c.Dirs, f.mappedDirs...)
	var err error
	if c.Trace, err = f.openTrace(); err != nil {
		return err
	}
	f.kernel.Without = c.Without
	c.Network = f.openNetwork()
	c.NonblockingSockets = f.listenNonblock
	if c.Sockets, err = openListeners(f.listen); err != nil {
		return err
	}
	// openListeners removed the variables that announced sockets to this process alone.
	if f.inheritEnv {
		c.Env = inheritEnv(c.Env)
	}
	if err := f.monitoring.openLearnFile(); err != nil {
		return err
	}
	if c.Policy, err = f.permissions.build(f.monitoring.learnFile); err != nil {
		return err
	}
	for _, useless := range policy.Shadowed(f.permissions.rules) {
		warnf("%v", useless)
	}
	if f.permissions.allowNet {
		warnf("--allow-net lets the program reach every address that this machine reaches")
	}
	r := &f.reports
	r.out, r.dryRun = consoleWriter{}, f.monitoring.dryRun
	c.OnRefusal, c.OnFiltered, c.OnDeniedPeer, c.OnLimit = r.refusal, r.filtered, r.deniedPeer,
		r.limit
	return f.monitoring.openAll(c, f.name)
}

// openTrace opens the output of the trace. It is nil if no flag asks for a trace.
func (f *runFlags) openTrace() (io.Writer, error) {
	switch {
	case f.traceFile == "" && f.trace:
		return consoleWriter{}, nil
	case f.traceFile == "":
		return nil, nil
	}
	file := standardStream(f.traceFile)
	if file == nil {
		var err error
		file, err = hostpath.Open(f.traceFile, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return nil, usageError("", "--trace-file %s: %w", f.traceFile, plainError(err))
		}
		f.monitoring.closers = append(f.monitoring.closers, file.Close)
	}
	return &warningWriter{file: file, lost: "--trace-file: calls are"}, nil
}

// inheritEnv adds the environment of this process to the variables that flags set.
func inheritEnv(set []string) []string {
	env := slices.Clone(set)
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if name != "" && !isSet(set, name) { // Windows has variables without one: "=C:=C:\"
			env = append(env, v)
		}
	}
	return env
}

// isSet reports whether a list of variables has one of a name.
func isSet(env []string, name string) bool {
	return slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, name+"=") })
}
