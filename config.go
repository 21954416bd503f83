package wasport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/engine"
	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/hostpath"
	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/printable"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// Config describes a guest. In the zero value it has no arguments, files or network and an empty
// stdin, and its output is discarded.
type Config struct {
	// Args are the arguments. By convention the first is the program's name. Those of a component,
	// and its Env, must be valid UTF-8.
	Args []string

	// Env is the environment, as "NAME=value". The host's environment is not added. For PWD see
	// Dirs.
	Env []string

	// Stdin, Stdout and Stderr are descriptors 0 to 2. Nil is an empty input or a discarded output.
	// An *os.File is used directly; it is neither closed nor changed. On Windows, a console, a pipe
	// or another device than NUL is used as other readers and writers are.
	//
	// Another reader is read by a goroutine, up to one buffer ahead of the guest. That goroutine
	// ends with the first Read that returns after the guest's end. Another writer is called by a
	// goroutine, and the guest waits for it: no output is lost while the guest runs, and a writer
	// that blocks does not prevent the guest's end. A writer must be safe for concurrent use if
	// guests share it, or if a guest has threads and Stdout and Stderr are different values that
	// write to the same place.
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// Dirs are the directories that the guest has open, from descriptor 3 on. For a guest made by
	// Go's compiler, a relative name is the absolute one beneath its working directory. That is PWD
	// of Env, or else /, which is then added to Env: Go does not find files by relative names.
	Dirs []Dir

	// Sockets are open sockets for the guest, as the descriptors after those of Dirs:
	// *net.TCPListener, *net.TCPConn, *net.UDPConn, *net.UnixListener, *net.UnixConn or another
	// type with a socket of the operating system. They serve programs that accept connections
	// without opening a socket themselves, as those started by systemd do (sd_listen_fds(3)). The
	// guest has a duplicate (dup(2)). The original stays with the caller, which may close it at any
	// time and must close it in the end.
	//
	// A socket in Sockets is a permission: the guest may accept or receive where it is bound, or
	// send to its peer, without an allow rule. Deny rules of Policy and a ceiling still apply. So
	// does a listen rule with "from" for the socket's address, of either family if it is bound to
	// both.
	//
	// The guest cannot change a listener or a datagram socket for the caller: shutdown, a new value
	// of an option, and a connect to another peer are EACCES, a second listen has no effect, and
	// multicast groups that it joins are left at its end. A TCP connection belongs to the guest
	// alone, which may do all of this.
	//
	// A Unix-domain listener or connection is a stream to the guest, and 0.0.0.0:0 is every address
	// of it. No rule applies to it. It cannot be handed over on Windows.
	//
	// For the caller, too, the socket becomes non-blocking and, on Linux, stops receiving datagrams
	// for multicast groups that it has not joined itself (ip(7), IP_MULTICAST_ALL).
	//
	// A component cannot be given sockets.
	Sockets []syscall.Conn

	// NonblockingSockets puts Sockets into non-blocking mode. Guests made by Go's compiler always
	// have them in that mode (see Module.ByGo): Go waits for all descriptors in one place and keeps
	// a listener's mode. Most C programs expect accept(2) to block.
	NonblockingSockets bool

	// Policy has the rules for the network; nil allows nothing. Guest.SetPolicy changes it.
	Policy *policy.Policy

	// Network opens the guest's sockets and resolves its names, behind Policy. Nil = the host's
	// network.
	Network network.Network

	// SearchDomains are appended to a name that the guest looks up, one after the other: before the
	// name itself is tried if it has fewer dots than Ndots, else after it (resolv.conf(5)). A name
	// with a final dot is looked up as it is. Policy judges each whole name; those that it denies
	// are skipped. Ndots 0 is 1.
	SearchDomains []string
	Ndots         int

	// OnRefusal is called with each refusal of the policy, before the guest goes on. Once a call
	// takes longer than a second, the guest no longer waits: later calls are queued, up to 1024,
	// and dropped and counted beyond that (see Guest.Dropped). The same holds for the other
	// callbacks, Audit and Trace.
	//
	// The callbacks of one guest are never called at the same time, even if the guest has threads.
	// A function that several guests share must be safe for concurrent use.
	OnRefusal func(*policy.Refusal)

	// OnDeniedPeer is called with the first peer that a socket of the guest turned away because no
	// rule admits it. Later ones are only counted, since anyone on the network can cause any number
	// of them.
	OnDeniedPeer func(*policy.Refusal)

	// OnLimit is called each time that a limit refuses something, with its name and value. The name
	// is a key of [limits] in a policy file, such as "sockets", or "descriptors" for
	// MaxDescriptors, "threads" for MaxThreads, "memory" for MaxMemory, "quota" for a Quota of
	// Dirs.
	OnLimit func(name string, limit int)

	// OnFiltered is called with the addresses that were removed from the answer to a lookup,
	// because the guest may not reach them by a name.
	OnFiltered func(*policy.Filtered)

	// Audit gets a record of each decision on the network: level Info if it allows, Warn if it
	// denies. The attributes are guest, action, protocol, name, address, local, decision, rule,
	// written, reason and hint, as far as they apply.
	Audit *slog.Logger

	// Name is what records of Audit call the guest, and what host functions get from Guest.Name;
	// empty = the first of Args.
	Name string

	// Learner records the permissions that the guest used, to make a policy of them. See
	// policy.Learner.
	Learner *policy.Learner

	// DryRun allows everything that Policy would refuse, and turns the limits off. OnRefusal,
	// OnFiltered, Audit and the counters report the refusals that would have happened.
	DryRun bool

	// Function is the exported function to start, and Params are its arguments, as raw values of
	// WebAssembly: an i32 or f32 is in the lower 32 bits. Empty = _start, the function of a
	// command. Both must be empty for Module.Instantiate, and for a component, which is always
	// started by its wasi:cli/run.
	Function string
	Params   []uint64

	// Trace gets a line for each call of the guest that uses a descriptor, in the format of
	// strace(1). Nil = none. If the guest has threads or Trace may block, it must not be the writer
	// of Stdout or Stderr, unless that is safe for concurrent use.
	Trace io.Writer

	// Random is the source of the guest's random bytes; nil = crypto/rand. It must be safe for
	// concurrent use.
	Random io.Reader

	// MaxMemory limits the memory of the host that the guest causes, in bytes, for all threads
	// together. 0 = 4 GiB less one page of linear memory, and 5 GiB altogether.
	//
	// The linear memory has at most MaxMemory, and less if the rest needs much. The rest may have 4
	// MiB more: tables, globals and other parts of instances, which each thread has, references to
	// functions, and stacks. Beyond the limit memory.grow and table.grow fail (in C ENOMEM,
	// malloc(3)), a thread cannot be started (EAGAIN), and a deeper stack is a stack overflow. A
	// module that needs more at its start does not start. Address space is reserved for the whole
	// linear memory, but only pages that the guest uses take memory. With RuntimeConfig.NoInterrupt
	// there is no limit.
	MaxMemory uint64

	// MaxCPU limits the processor time of the guest's threads, including their calls of the host; 0
	// = no limit, and a negative one is an error. Beyond it the guest ends with ErrCPU. Time spent
	// waiting does not count. On Linux, time in which other guests and programs have the processors
	// does not count either; see RATIONALE.md. MaxCPU has no effect with RuntimeConfig.NoInterrupt.
	MaxCPU time.Duration

	// MaxThreads limits how many threads the guest has at once besides its first. 0 = 64, negative
	// = none. A thread beyond the limit is EAGAIN (pthread_create(3)). A component has one thread.
	MaxThreads int

	// MaxSocketMemory limits the memory of the host for the queues of all of the guest's sockets,
	// in bytes. 0 = 512 MiB, unless Policy has a limit; the smaller of the two holds. A socket
	// beyond the limit is ENOBUFS (socket(2)). The more sockets the guest has, the smaller are
	// their buffers.
	MaxSocketMemory uint64

	// MaxDescriptors limits how many files and sockets the guest has open at once; 0 = 8192. A
	// descriptor beyond the limit is EMFILE (open(2)). The standard streams, Dirs and Sockets
	// count, and a limit below their number is a *ConfigError.
	MaxDescriptors int

	// Without names optimisations to do without, by which the guest's calls make fewer or other
	// calls of the kernel or of wasport, or make them at another time, or "all" for every one. A
	// guest and its peers should see no difference. docs/flags.md has the names, at --without. A
	// Network of the embedder's own is not changed by it.
	Without []string
}

// Dir is a directory that a guest may use. It cannot reach files outside of it.
type Dir struct {
	// Host is the path on the host. It is empty if FS is set.
	Host string

	// FS is a file system of the program's, such as an embed.FS, os.DirFS or zip.Reader. It is
	// read-only; Guest must be set, and Quota must not.
	//
	// FS and its files are called on the guest's goroutines, several at once if the guest has
	// threads or if guests share FS. A file is read by one call at a time, unless by ReadAt. A call
	// that panics or blocks is the guest's (see HostPanic and StuckError); no other guest waits for
	// it. Paths have no symbolic link before the last name: those of an fs.ReadLinkFS are followed
	// here, and never out of the directory. A file that is neither an io.Seeker nor an io.ReaderAt
	// is read from its beginning to its end: to seek in it is ESPIPE (lseek(2)).
	FS fs.FS

	// Guest is the path that the guest uses; empty = Host. No two directories have the same.
	Guest string

	// ReadOnly makes every change EROFS (open(2)).
	ReadOnly bool

	// Quota limits by how many bytes the guest makes the files beneath the directory larger in one
	// run; 0 = no limit. A write beyond it is ENOSPC (write(2)). A new name counts 4 KiB, and a
	// hole counts as if it were full. Bytes of files that the guest removes or cuts are refunded.
	//
	// It must not overlap another directory that the guest may write to. Between directories of
	// different quotas, files cannot be renamed or linked: EXDEV.
	Quota uint64
}

// name is the guest's name.
func (c *Config) name() string {
	if c.Name == "" && len(c.Args) > 0 {
		return c.Args[0]
	}
	return c.Name
}

func (c *Config) limits() engine.Limits {
	return engine.Limits{Memory: c.MaxMemory, Threads: c.MaxThreads}
}

// newSystem makes the guest's descriptors and network. The guest does not end with ctx.
func (c *Config) newSystem(ctx context.Context, threads bool, g *Guest) (err error) {
	out := &g.callbacks
	s := system.Config{
		Args: c.Args, Env: c.Env,
		Stdin: c.Stdin, Stdout: c.Stdout, Stderr: c.Stderr,
		NonblockingListeners: c.NonblockingSockets, Random: c.Random,
		OnLimit: out.onLimit(c.OnLimit), MaxDescriptors: c.MaxDescriptors, MaxCPU: c.MaxCPU,
		Cause: publicError, Without: c.Without,
	}
	if err := errors.Join(checkStrings(c.Args, c.Env), c.checkLimits()); err != nil {
		return err
	}
	if err := c.checkDescriptors(); err != nil {
		return err
	}
	if g.guard, err = c.guardNetwork(threads, out); err != nil {
		return err
	}
	s.Network = c.searched(g.guard)
	if err := c.openResources(ctx, &s, g.guard); err != nil {
		for _, p := range s.Preopens {
			p.Dir.Close()
		}
		for _, l := range s.Listeners {
			l.Close()
		}
		return err
	}
	g.sys, err = system.New(&g.values, s)
	return err
}

// openResources opens Dirs and duplicates Sockets.
func (c *Config) openResources(
	ctx context.Context, s *system.Config, guarded *guard.Network,
) (err error) {
	if err := c.checkQuotas(); err != nil {
		return err
	}
	for i, d := range c.Dirs {
		dir, err := d.open(ctx, i)
		if err != nil {
			return err
		}
		s.Preopens = append(s.Preopens, system.Preopen{Dir: dir, Name: d.name(), Quota: d.Quota})
	}
	for i, conn := range c.Sockets {
		if conn == nil {
			return fmt.Errorf("Config.Sockets[%d] is nil", i)
		}
		var sock network.Socket
		outside.Protect(fmt.Sprintf("Config.Sockets[%d]", i),
			func() { sock, err = kernel.Adopt(conn) },
			func(p *outside.Panic) { err = (*HostPanic)(p) })
		if err != nil {
			return fmt.Errorf("Config.Sockets[%d]: %w", i, err)
		}
		s.Listeners = append(s.Listeners, guarded.Adopt(sock))
	}
	return nil
}

// name is the path that the guest uses.
func (d *Dir) name() string {
	if d.Guest != "" {
		return d.Guest
	}
	return d.Host
}

// checkDirNames refuses a directory of nothing, and two of one name: a C library would find but one
// of them.
func (c *Config) checkDirNames() error {
	hosts := make(map[string]string)
	for i, d := range c.Dirs {
		if d.FS == nil && d.Host == "" {
			return fmt.Errorf("Config.Dirs[%d] has neither a Host nor an FS", i)
		}
		name := path.Clean(d.name())
		if first, taken := hosts[name]; taken {
			return fmt.Errorf("two directories have the name %s, %q and %q: give each a name of "+
				"its own", printable.Name(name), first, d.Host)
		}
		hosts[name] = d.Host
	}
	return nil
}

// checkLimits refuses limits below zero that would be none.
func (c *Config) checkLimits() error {
	switch {
	case c.MaxCPU < 0:
		return fmt.Errorf("Config.MaxCPU is %v; it is above 0, or 0 for no limit", c.MaxCPU)
	case c.MaxDescriptors < 0:
		return fmt.Errorf("Config.MaxDescriptors is %d; it is above 0, or 0 for the default",
			c.MaxDescriptors)
	}
	return nil
}

// checkDescriptors refuses a limit below the number of descriptors that the guest starts with.
func (c *Config) checkDescriptors() error {
	const streams = 3 // stdin(3)
	if n := streams + len(c.Dirs) + len(c.Sockets); c.MaxDescriptors > 0 && c.MaxDescriptors < n {
		return &ConfigError{Err: fmt.Errorf("the guest starts with %d descriptors: stdin, stdout, "+
			"stderr, directories and sockets; it may have %d", n, c.MaxDescriptors)}
	}
	return nil
}

// checkQuotas refuses a directory with a quota that overlaps another of Dirs that the guest may
// write to. A file would be charged to one and refunded by the other.
func (c *Config) checkQuotas() error {
	for i, d := range c.Dirs {
		if d.Quota == 0 || !d.writable() {
			continue
		}
		var others []string
		for j, other := range c.Dirs {
			if i != j && other.writable() {
				others = append(others, other.Host)
			}
		}
		if err := hostpath.CheckApart(d.Host, others); err != nil {
			return fmt.Errorf("directory with a quota: %w", err)
		}
	}
	return nil
}

// checkCacheDirs refuses Dirs that contain the cache or its key: the guest could plant machine code
// for later processes.
func (c *Config) checkCacheDirs(cacheDir, keyDir string) error {
	if cacheDir == "" {
		return nil
	}
	var writable []string
	for _, d := range c.Dirs {
		if d.writable() {
			writable = append(writable, d.Host)
		}
	}
	dirs, err := hostpath.New(writable)
	if err != nil {
		return err
	}
	for _, path := range []string{cacheDir, keyDir} {
		if err := dirs.CheckDir(path); err != nil {
			return fmt.Errorf("cache of compiled modules: %w, which the guest may write to", err)
		}
	}
	return nil
}

func (d Dir) writable() bool { return !d.ReadOnly && d.FS == nil }

// open opens the directory with an index in Config.Dirs.
func (d Dir) open(ctx context.Context, index int) (dir hostfs.Dir, err error) {
	if d.FS == nil {
		access := hostfs.ReadOnly
		if d.writable() {
			access = hostfs.ReadWrite
		}
		if dir, err = hostfs.OpenRoot(d.Host, access); err != nil {
			return nil, fmt.Errorf("directory %s: %w", d.Host, err)
		}
		return dir, nil
	}
	field := fmt.Sprintf("Config.Dirs[%d].FS", index)
	switch {
	case d.Host != "":
		return nil, fmt.Errorf("%s: Host is set too, to %s; leave one of them out", field, d.Host)
	case d.Guest == "":
		return nil, fmt.Errorf("%s: Guest is empty; set the path that the guest uses", field)
	case d.Quota != 0:
		return nil, fmt.Errorf("%s: it is read-only, and has a Quota; leave that out", field)
	}
	return openFS(ctx, field, d.FS)
}

// openFS opens an fs.FS on a goroutine of its own, since that may block, or end its goroutine.
func openFS(ctx context.Context, field string, fsys fs.FS) (hostfs.Dir, error) {
	var dir hostfs.Dir
	var err error
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		outside.Protect(field, func() { dir, err = hostfs.OpenFS(fsys) },
			func(p *outside.Panic) { err = (*HostPanic)(p) })
	}()
	select {
	case <-opened:
	case <-ctx.Done():
		go func() {
			if <-opened; err == nil {
				dir.Close()
			}
		}()
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return dir, nil
}

// checkComponent refuses what a component cannot be given.
func (c *Config) checkComponent() error {
	switch {
	case len(c.Params) > 0:
		return errors.New("a component takes no parameters: only functions of core modules do")
	case len(c.Sockets) > 0:
		return errors.New("a component cannot be given open sockets: WASI 0.2 has no way to hand " +
			"them over; let it bind and listen itself")
	}
	return nil
}

// checkStrings refuses strings that C programs cannot get.
func checkStrings(args, env []string) error {
	for _, s := range args {
		if strings.ContainsRune(s, 0) {
			return fmt.Errorf("argument %q contains a NUL byte", s)
		}
	}
	for _, s := range env {
		switch name, _, ok := strings.Cut(s, "="); {
		case strings.ContainsRune(s, 0):
			return fmt.Errorf("environment variable %q contains a NUL byte", s)
		case !ok || name == "":
			return fmt.Errorf("environment variable %q is not of the form NAME=value", s)
		}
	}
	return nil
}
