package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/bytesize"
	"github.com/wasport/wasport/internal/hostpath"
	"github.com/wasport/wasport/network/kernel"
)

const runBefore = `wasport run [flags] FILE.wasm [args...] runs a module. Its exit status is the command's own.

The flags end at the file; what follows is the module's. It starts without files, environment and network; flags grant them.
`

const runAfter = `
Exit status
      the module's own, or
      1     something else went wrong
      2     the command line is wrong, or the file cannot be run
      124   --timeout or --max-cpu ended it
      126   it trapped; the reason and the stack are on stderr
      130   SIGINT ended it; 143 if SIGTERM did

Example
      wasport run --dir ./data::/data:ro --allow-connect tcp://api.example.com:443 client.wasm --verbose
`

// runFlags is what the flags of run say.
type runFlags struct {
	config      wasport.Config
	runtime     wasport.RuntimeConfig
	compile     wasport.CompileConfig
	kernel      kernel.Config
	permissions permissions
	oversight   oversight

	mapped     []wasport.Dir
	envInherit bool
	listen     []address

	listenNonblock bool
	timeout        time.Duration
	trace          bool
	traceFile      string
	name           string // of the guest; as the file if empty
	cacheDir       string
	noCache        bool

	reports reports
	lacks   wasport.Lacks // of the guest that has ended
}

func (f *runFlags) page() page {
	return page{"run", runBefore, runAfter, f.groups(), true}
}

func (f *runFlags) groups() []group {
	program := newGroup("The program")
	program.Func("env", "`NAME=VALUE` set an environment variable (repeatable)",
		func(s string) error {
			v, err := parseEnv(s)
			f.config.Env = append(f.config.Env, v)
			return err
		})
	program.BoolVar(&f.envInherit, "env-inherit", false,
		"pass the environment of this process on; --env adds to it")
	program.StringVarP(&f.config.Function, "function", "f", "",
		"`NAME` call this function with the arguments and print its results")

	files := newGroup("Files")
	files.Func("dir", "`HOST[::GUEST][:ro|:rw]` let it use a directory, with :ro only for "+
		"reading (repeatable)", func(s string) error {
		d, err := parseDir(s)
		f.config.Dirs = append(f.config.Dirs, d)
		return err
	})
	files.note = `  --dir HOST[::GUEST]:quota=1GiB lets it make the files there larger by that at most.
`
	files.Func("map-dir", "`GUEST::HOST` the same, as iwasm spells it (repeatable)",
		func(s string) error {
			d, err := parseMapDir(s)
			f.mapped = append(f.mapped, d)
			return err
		})

	network := newGroup("Network")
	network.Func("listen", "`tcp://ADDR:PORT` open a socket, tcp:// or udp://, and hand it over "+
		"(repeatable)", func(s string) error {
		a, err := parseListen(s)
		f.listen = append(f.listen, a)
		return err
	})
	network.BoolVar(&f.listenNonblock, "listen-nonblock", false,
		"hand them over in non-blocking mode, as programs compiled by Go expect")
	network.note = `  A socket handed over is the descriptor after those of the directories, which start at 3.
`
	network.Func("resolver", "`HOST:PORT` ask this DNS server instead of the system's",
		func(s string) (err error) {
			f.kernel.Server, err = parseServer(s)
			return err
		})
	network.Func("hosts", "`NAME=ADDR[,ADDR]` say what addresses a name has (repeatable)",
		func(s string) error {
			name, addrs, err := parseHost(s)
			if f.kernel.Hosts == nil {
				f.kernel.Hosts = make(map[string][]netip.Addr)
			}
			f.kernel.Hosts[name] = append(f.kernel.Hosts[name], addrs...)
			return err
		})

	limits := newGroup("Limits")
	limits.Func("timeout", "`DURATION` end it, or compiling it, after 1m30s, say; a bare number "+
		"is milliseconds", func(s string) (err error) {
		f.timeout, err = parseDuration(s)
		return err
	})
	limits.Func("max-cpu", "`DURATION` end it once it has computed for that long",
		func(s string) (err error) {
			f.config.MaxCPU, err = parseDuration(s)
			return err
		})
	limits.Func("max-memory", "`SIZE` give it no more memory than 64MiB, say",
		func(s string) (err error) {
			f.config.MaxMemory, err = bytesize.Parse(s)
			return err
		})
	limits.Func("max-threads", "`N` let it have so many threads at once besides its first, not 64",
		func(s string) (err error) {
			f.config.MaxThreads, err = parseThreads(s)
			return err
		})

	limits.Func("max-descriptors",
		"`N` let it have so many files and sockets open at once, not 8192", func(s string) (err error) {
			f.config.MaxDescriptors, err = parseDescriptors(s)
			return err
		})
	limits.Func("max-socket-memory",
		"`SIZE` give its sockets no more of the host's memory, not 512MiB", func(s string) (err error) {
			f.config.MaxSocketMemory, err = bytesize.Parse(s)
			return err
		})

	running := newGroup("Running")
	running.BoolVar(&f.trace, "trace", false, "print each call that touches a descriptor on stderr")
	running.StringVar(&f.traceFile, "trace-file", "", "`FILE` write them to a file; - is stdout")
	running.Func("name", "`NAME` call it this in messages, records and what is learnt, not as "+
		"its file", func(s string) (err error) {
		f.name, err = parseName(s)
		return err
	})
	running.Func("unknown-imports",
		"`trap` run it although imports are missing; calling one is a trap", func(s string) error {
			if s != "trap" {
				return errors.New("the only way to run such a module is --unknown-imports=trap")
			}
			f.compile.TrapUnknownImports = true
			return nil
		})
	running.StringVar(&f.cacheDir, "cache-dir", "",
		"`DIR` keep compiled modules here, not in the user's cache directory")
	running.BoolVar(&f.noCache, "no-cache", false, "do not keep compiled modules")
	running.BoolVar(&f.runtime.Interpreter, "interpreter", false,
		"do not compile it: starts sooner, runs far slower")
	running.BoolVar(&f.runtime.NoInterrupt, "no-interrupt", false,
		"compile it as it is: faster, but --timeout ends it only while it waits")

	return []group{program, files, network, f.permissions.group(), f.oversight.group(), limits,
		running}
}

var errTimeout = errors.New("the time given by --timeout is over")

func run(args []string) error {
	var f runFlags
	rest, done, err := f.page().parse(args)
	if done || err != nil {
		return err
	}
	if len(rest) == 0 {
		return usage("run", "no module is named: wasport run [flags] FILE.wasm [args...]")
	}
	if f.runtime.NoInterrupt && (f.config.MaxMemory != 0 || f.config.MaxCPU != 0) {
		return usage("run", "--max-memory and --max-cpu have no effect with --no-interrupt; "+
			"leave one or the other out")
	}
	if err := f.keepApart(); err != nil {
		return err
	}
	file := rest[0]
	wasm, err := readModule(file)
	if err != nil {
		return err
	}
	ctx := context.Background()
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, f.timeout, errTimeout)
		defer cancel()
	}
	rt, mod, err := f.load(ctx, file, wasm)
	if err != nil {
		return err
	}
	defer rt.Close(ctx)
	f.warnUnreachable(file, mod)
	entry, err := f.entry(file, mod, rest)
	if err != nil {
		return err
	}
	if f.name == "" {
		f.name = file
	}
	err = unlessEnded(ctx, f.complete) // to open a FIFO may take for ever (fifo(7))
	if errors.Is(err, errTimeout) {
		return ended(f.name, err)
	}
	if err != nil {
		return err
	}
	// else a signal must end the process, since the guest may not let go of it
	if !f.runtime.NoInterrupt {
		var stop context.CancelFunc
		ctx, stop = untilSignal(ctx)
		defer stop()
	}
	status, err := f.watch(ctx, mod)
	if failed := unlessEnded(ctx, f.oversight.end); failed != nil {
		warn("%v", failed)
	}
	if err != nil || status.Code != 0 {
		f.reports.lacking(f.lacks, 3+len(f.config.Dirs), mod.ByGo())
	}
	if err != nil {
		return ended(f.name, err)
	}
	if status.Code != 0 {
		return &exit{status: exitStatus(status.Code)}
	}
	if len(status.Results) > 0 {
		return unlessEnded(ctx, func() error {
			fmt.Println(entry.Format(status.Results))
			return nil
		})
	}
	return nil
}

// ended says how a guest ended that did not end by itself.
func ended(name string, err error) error {
	var trap *wasport.Trap
	var signal signalled
	switch {
	case errors.As(err, &trap):
		at := ""
		for line := range strings.Lines(trap.Stack) {
			line = strings.TrimSuffix(line, "\n")
			switch {
			case strings.HasPrefix(line, "\t"): // where in its sources
				line = "     " + line[1:]
			case !strings.HasPrefix(line, "..."): // that there are more
				line = "at " + line
			}
			at += "\n  " + line
		}
		return &exit{statusTrap, fmt.Errorf("%w%s", err, at)}
	case errors.Is(err, errTimeout), errors.Is(err, wasport.ErrCPU):
		return &exit{statusTimeout, fmt.Errorf("%s: %w", name, err)}
	case errors.As(err, &signal):
		return &exit{status: statusSignal + int(signal.Signal)}
	}
	return fmt.Errorf("%s: %w", name, err)
}

// entry finds the function to start with, and sorts the words of the command line into arguments of
// the program and of the function.
func (f *runFlags) entry(file string, mod *wasport.Module, words []string) (wasport.Function,
	error) {
	f.config.Args = words
	entry, err := mod.Function(f.config.Function)
	if err != nil {
		hint := "; it exports no function at all"
		if exported := mod.Functions(); len(exported) > 0 {
			hint = "; wasport run -f NAME calls one of these:"
			for _, e := range exported {
				hint += "\n  " + e.String()
			}
		}
		return entry, usage("", "%s: %w%s", file, err, hint)
	}
	if f.config.Function == "" {
		return entry, nil
	}
	f.config.Args = words[:1]
	if f.config.Params, err = entry.Parse(words[1:]); err != nil {
		return entry, usage("", "%s: %w; it is %v", file, err, entry)
	}
	return entry, nil
}

// complete opens what the flags name, and hands everything to the configuration.
func (f *runFlags) complete() error {
	c := &f.config
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.Dirs = append(c.Dirs, f.mapped...)
	if f.envInherit {
		c.Env = inherit(c.Env)
	}
	var err error
	if c.Trace, err = f.openTrace(); err != nil {
		return err
	}
	c.Network = kernel.New(f.kernel)
	c.NonblockingSockets = f.listenNonblock
	if c.Sockets, err = f.open(); err != nil {
		return err
	}
	if err := f.oversight.openLesson(); err != nil {
		return err
	}
	if c.Policy, err = f.permissions.policy(f.oversight.lesson); err != nil {
		return err
	}
	if f.permissions.allowNet {
		warn("--allow-net lets the program reach every address that this machine reaches")
	}
	r := &f.reports
	r.to, r.dryRun = consoleWriter{}, f.oversight.dryRun
	c.OnRefusal, c.OnFiltered, c.OnStranger, c.OnLimit = r.refusal, r.filtered, r.stranger, r.limit
	return f.oversight.begin(c, f.name)
}

// openTrace opens what the trace is written to, if there is one.
func (f *runFlags) openTrace() (io.Writer, error) {
	switch {
	case f.traceFile == "" && f.trace:
		return consoleWriter{}, nil
	case f.traceFile == "":
		return nil, nil
	case f.trace:
		return nil, usage("run",
			"--trace prints on stderr, --trace-file %s writes there; leave one of them out", f.traceFile)
	}
	if s := standardFile(f.traceFile); s != nil {
		return s, nil
	}
	file, err := hostpath.Open(f.traceFile, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, usage("", "--trace-file %s: %w", f.traceFile, plain(err))
	}
	f.oversight.ends = append(f.oversight.ends, file.Close)
	return file, nil
}

// inherit adds the environment of this process to what was set for the guest.
func inherit(set []string) []string {
	env := slices.Clone(set)
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		isSet := slices.ContainsFunc(set,
			func(s string) bool { return strings.HasPrefix(s, name+"=") })
		if name != "" && !isSet { // Windows has nameless ones
			env = append(env, v)
		}
	}
	return env
}
