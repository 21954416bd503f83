package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/bytesize"
	"github.com/wasport/wasport/internal/shortcut"
	"github.com/wasport/wasport/network/dial"
	"github.com/wasport/wasport/network/kernel"
)

const runBefore = `wasport run [flags] FILE.wasm [args...] runs a WebAssembly module.

Flags come before FILE.wasm; every word after it is an argument of the module. A module starts
without files, environment variables and network access. Flags grant them, and each refusal names
the flag that would allow it.
`

const runAfter = `
Exit status
      that of the module, or
      1     another failure
      2     a wrong command line, or a file that cannot be run
      124   --timeout or --max-cpu ended the module
      126   the module trapped; stderr has the reason and the stack
      130   SIGINT ended the module; 143 for SIGTERM

Example
      wasport run --dir ./data::/data:ro --allow-connect tcp://api.example.com:443 client.wasm --verbose
`

// runFlags holds the values of the flags of run.
type runFlags struct {
	config      wasport.Config
	runtime     wasport.RuntimeConfig
	compile     wasport.CompileConfig
	kernel      kernel.Config
	permissions permissions
	monitoring  monitoring

	// mappedDirs are the directories of --map-dir. They follow those of --dir.
	mappedDirs []wasport.Dir
	inheritEnv bool
	listen     []listenAddr

	// proxy is the URL of --proxy, and connect connects through it.
	proxy   string
	connect dial.DialFunc

	listenNonblock bool
	timeout        time.Duration
	trace          bool
	traceFile      string
	// name is the guest's name in messages. It is the file's if --name is absent.
	name     string
	cacheDir string
	noCache  bool

	reports reports
	// lacks is set when the guest has ended.
	lacks wasport.Lacks
}

func (f *runFlags) page() page {
	return page{"run", runBefore, runAfter, f.groups(), true}
}

func (f *runFlags) groups() []group {
	return []group{f.programGroup(), f.fileGroup(), f.networkGroup(), f.permissions.group(),
		f.monitoring.group(), f.limitGroup(), f.runningGroup()}
}

func (f *runFlags) programGroup() group {
	g := newGroup("The program")
	g.list("env", "`NAME=VALUE` set an environment variable (repeatable)", func(s string) error {
		v, err := parseEnv(s)
		name, _, _ := strings.Cut(v, "=")
		if err == nil && isSet(f.config.Env, name) && !slices.Contains(f.config.Env, v) {
			return fmt.Errorf("%s is set twice, and programs differ about which value holds; "+
				"write one", name)
		}
		f.config.Env = append(f.config.Env, v)
		return err
	})
	g.BoolVar(&f.inheritEnv, "env-inherit", false,
		"pass the environment of wasport on; --env overrides it")
	g.StringVarP(&f.config.Function, "function", "f", "",
		"`NAME` call this exported function with args, and print its results")
	return g
}

func (f *runFlags) fileGroup() group {
	g := newGroup("Files")
	g.list("dir", "`HOST[::GUEST][:ro|:rw]` grant access to a directory; :ro is read-only "+
		"(repeatable)", func(s string) error {
		d, err := parseDir(s)
		f.config.Dirs = append(f.config.Dirs, d)
		return err
	})
	g.list("map-dir", "`GUEST::HOST` the same as --dir HOST::GUEST, as iwasm spells it",
		func(s string) error {
			d, err := parseMapDir(s)
			f.mappedDirs = append(f.mappedDirs, d)
			return err
		})
	g.note = `  --dir HOST[::GUEST]:quota=1GiB limits how many bytes the module can add to the files there.
`
	return g
}

func (f *runFlags) networkGroup() group {
	g := newGroup("Network")
	g.list("listen", "`tcp://ADDR:PORT` open a tcp:// or udp:// socket, or unix:PATH, for the "+
		"module; systemd hands over those of the service manager (repeatable)",
		func(s string) error {
			a, err := parseListen(s)
			f.listen = append(f.listen, a)
			return err
		})
	g.BoolVar(&f.listenNonblock, "listen-nonblock", false,
		"open these sockets in non-blocking mode, as Go programs expect")
	g.StringVar(&f.proxy, "proxy", "",
		"`URL` connect through this proxy, socks5://HOST:PORT or http://HOST:PORT")
	g.Func("resolver", "`HOST:PORT` send DNS queries to this server, not to the system's",
		func(s string) (err error) {
			f.kernel.Server, err = parseServer(s)
			return err
		})
	g.list("hosts", "`NAME=ADDR[,ADDR]` resolve a name to these addresses (repeatable)",
		func(s string) error {
			name, addrs, err := parseHost(s)
			if f.kernel.Hosts == nil {
				f.kernel.Hosts = make(map[string][]netip.Addr)
			}
			f.kernel.Hosts[name] = append(f.kernel.Hosts[name], addrs...)
			return err
		})
	g.note = `  Directories are the module's descriptors from 3 on. The sockets of --listen follow them.
`
	return g
}

func (f *runFlags) limitGroup() group {
	g := newGroup("Limits")
	g.Func("timeout", "`DURATION` stop after this time, such as 1m30s; a bare number is in ms",
		func(s string) (err error) {
			f.timeout, err = parseDuration(s)
			return err
		})
	g.Func("max-cpu", "`DURATION` stop after this much processor time", func(s string) (err error) {
		f.config.MaxCPU, err = parseDuration(s)
		return err
	})
	g.Func("max-memory", "`SIZE` limit the module's memory, to 64MiB for example",
		func(s string) (err error) {
			f.config.MaxMemory, err = bytesize.Parse(s)
			return err
		})
	g.Func("max-threads", "`N` limit the threads besides the first (default 64)",
		func(s string) (err error) {
			f.config.MaxThreads, err = parseThreads(s)
			return err
		})
	g.Func("max-descriptors", "`N` limit the open files and sockets (default 8192)",
		func(s string) (err error) {
			f.config.MaxDescriptors, err = parseDescriptors(s)
			return err
		})
	g.Func("max-socket-memory",
		"`SIZE` limit the host's memory that sockets use (default 512MiB)",
		func(s string) (err error) {
			f.config.MaxSocketMemory, err = bytesize.Parse(s)
			return err
		})
	return g
}

func (f *runFlags) runningGroup() group {
	g := newGroup("Running")
	g.BoolVar(&f.trace, "trace", false, "print each call that uses a descriptor, on stderr")
	g.StringVar(&f.traceFile, "trace-file", "", "`FILE` write the trace to a file; - is stdout")
	g.Func("name", "`NAME` name the module in messages, audit records and learnt policies",
		func(s string) (err error) {
			f.name, err = parseName(s)
			return err
		})
	g.Func("unknown-imports", "`trap` run despite missing imports; calling one is a trap",
		func(s string) error {
			if s != "trap" {
				return errors.New("the only way to run such a module is --unknown-imports=trap")
			}
			f.compile.TrapUnknownImports = true
			return nil
		})
	g.StringVar(&f.cacheDir, "cache-dir", "",
		"`DIR` keep compiled modules here, not in the user's cache directory")
	g.BoolVar(&f.noCache, "no-cache", false, "do not keep compiled modules")
	g.BoolVar(&f.runtime.Interpreter, "interpreter", false,
		"interpret the module: it starts sooner and runs far slower")
	g.BoolVar(&f.runtime.NoInterrupt, "no-interrupt", false,
		"run faster, but --timeout ends the module only while it waits")
	g.list("without", "`NAME[,NAME]` do without an optimisation, or without all (repeatable)",
		func(s string) error {
			names := strings.Split(s, ",")
			f.config.Without = append(f.config.Without, names...)
			_, err := shortcut.Except(names)
			return err
		})
	return g
}
