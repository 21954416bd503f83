package wasport

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"syscall"
	"time"

	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/hostpath"
	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// Config is what one guest starts with. The zero value has no arguments, no files, no network, an
// empty stdin and discards what the guest prints.
type Config struct {
	// Args are the arguments; by custom the first is the program's name.
	Args []string

	// Env is the environment, as "NAME=value". Nothing of the host's is added; of Dirs, see there.
	Env []string

	// Stdin, Stdout and Stderr are descriptors 0 to 2; nil is an empty input and a discarded
	// output. An *os.File is used directly, without being closed or changed. A reader of another
	// kind is read in a goroutine, a buffer ahead of the guest, which ends with the first Read that
	// returns after the guest's end. A writer is called in a goroutine as well, and the guest waits
	// for it: nothing is lost while the guest runs, and a writer that blocks does not keep the
	// guest from being ended. It must be safe for concurrent use if several guests share it, or if
	// the guest has both threads and two writers that are not equal.
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// Dirs are the directories that the guest finds open, from descriptor 3 on. A guest made by
	// Go's compiler sees a relative name as the absolute one beneath its working directory, which
	// is PWD of Env, or else /, which is then added to Env: Go finds no file by a relative name.
	Dirs []Dir

	// Sockets are handed to the guest as the descriptors after those of Dirs, as programs expect
	// them that accept connections without opening a socket themselves: *net.TCPListener,
	// *net.UDPConn and whatever else has a socket of the operating system. The guest works on a
	// duplicate; the original stays the caller's, who may close it at any time.
	//
	// That a socket is handed over is a permission to use it as it is: to accept or receive where
	// it is bound, or to send where it is connected to. A rule of Policy that denies it holds all
	// the same, a ceiling does, and so does a listen rule with "from" for its address, of either
	// family if the socket is on both.
	//
	// The guest cannot change it for the caller: Shutdown, options and Connect are EACCES, another
	// Listen does nothing, and groups are left at the end. Only a TCP connection is the guest's
	// altogether. Handing over makes the socket non-blocking and, on Linux, keeps it from multicast
	// groups that it has not joined itself.
	Sockets []syscall.Conn

	// NonblockingSockets hands Sockets over in non-blocking mode. Guests whose module says that Go's
	// compiler made it get them so in any case, since Go waits for all of its descriptors in one
	// place and takes a listener's mode as it finds it (see Module.ByGo); programs in C mostly
	// expect that accept waits.
	NonblockingSockets bool

	// Policy says what the guest may do on the network; nil allows nothing. See package policy, and
	// Guest.SetPolicy to change it.
	Policy *policy.Policy

	// Network is what the guest's sockets are opened on and its names are resolved by, behind the
	// policy. Nil = the host's.
	Network network.Network

	// OnRefusal is called with what the policy refused, one call at a time, before the guest goes
	// on. A call that takes longer than a second holds the guest up no further: calls are then
	// queued, up to 1024, and dropped and counted beyond (see Guest.Dropped). The same holds for
	// the other callbacks, Audit and Trace.
	OnRefusal func(*policy.Refusal)

	// OnStranger is called with the first peer that each socket of the guest turned away, since no
	// rule lets that connect or send to it. Later ones are counted only:
	// anybody outside can cause any number of them.
	OnStranger func(*policy.Refusal)

	// OnLimit is called each time that a limit refuses the guest something, with the limit's name
	// and what it is: a key of [limits] in a policy file, such as "sockets", or "descriptors" for
	// MaxDescriptors, "threads" for MaxThreads, "memory" for MaxMemory, or "quota" for that of
	// Dirs.
	OnLimit func(name string, limit int)

	// OnFiltered is called with the addresses that were taken out of the answer to a lookup, since
	// the guest may not reach them by a name.
	OnFiltered func(*policy.Filtered)

	// Audit gets a record of each decision about the network, at level Info of what was allowed and
	// at Warn of what was not, with the attributes guest, action, protocol, name, address, local,
	// decision, rule, written, reason and hint, as far as they apply. Name is what the guest is
	// called there; empty = the first of Args.
	Audit *slog.Logger
	Name  string

	// Learner is told what the guest needed of what it was allowed. See policy.Learner for how to
	// make a policy of it.
	Learner *policy.Learner

	// DryRun refuses nothing of what Policy does not allow, and limits nothing. What would have
	// been refused is told to OnRefusal, OnFiltered and Audit, and counted.
	DryRun bool

	// Function is the exported function to start the guest with, Params its arguments as
	// WebAssembly's raw values (see Module.Function). Empty = _start, the one of a command.
	Function string
	Params   []uint64

	// Trace gets a line for each call of the guest that touches a descriptor, in the manner of
	// strace. Nil = none. If the guest has threads, or Trace may block, it must not be a writer
	// that prints for the guest as well, unless that is safe for concurrent use.
	Trace io.Writer

	// Random is where the guest's random bytes come from; nil = crypto/rand. It must be safe for
	// concurrent use.
	Random io.Reader

	// MaxMemory limits what the guest makes the host keep, in bytes, for all of its threads
	// together. 0 = 4 GiB less a page of linear memory, and 5 GiB in all. The linear memory has at
	// most MaxMemory; it may be less if the rest needs much. The rest may have 4 MiB more: tables,
	// globals and the other parts of instances, which each thread has of its own, references to
	// functions, and stacks. Beyond the limit memory.grow and table.grow fail, which C programs see
	// as ENOMEM, no thread can be started: EAGAIN, and a deeper stack is a stack overflow. A module
	// that starts with more does not start. Address space is reserved for all of the linear memory,
	// but only what the guest touches takes memory of the host. With RuntimeConfig.NoInterrupt
	// there is no limit.
	MaxMemory uint64

	// MaxCPU limits the processor time of the guest's threads in all, their calls of the host
	// included; 0 = no limit. Beyond it the guest ends with ErrCPU. Neither waiting nor the time in
	// which other guests or programs have the processors counts, except on systems other than Linux
	// for the latter; see RATIONALE.md. It has no effect on modules that are not interrupted
	// (RuntimeConfig.NoInterrupt).
	MaxCPU time.Duration

	// MaxThreads limits how many threads the guest has at once besides its first; 0 = 64, negative
	// = none. Beyond it none can be started: EAGAIN.
	MaxThreads int

	// MaxSocketMemory limits the memory that the queues of all of the guest's sockets take of the
	// host, in bytes; 0 = 512 MiB, unless Policy sets another limit. The stricter of the two holds.
	// Beyond it there are no more sockets: ENOBUFS. The buffers of many sockets are smaller than
	// those of a few.
	MaxSocketMemory uint64

	// MaxDescriptors limits how many files and sockets the guest has open at once; 0 = 8192. EMFILE
	// beyond.
	MaxDescriptors int
}

// Dir is a directory that a guest may use, and nothing outside of it.
type Dir struct {
	Host     string // where it is
	Guest    string // what the guest sees it as; empty = as Host
	ReadOnly bool   // whatever would change something is EROFS

	// Quota bounds by how many bytes the guest may make the files beneath it larger, altogether, in
	// one run; 0 = no limit. Beyond it is ENOSPC. A new name counts as 4 KiB, and holes as if they
	// were full. What the guest deletes or cuts comes back.
	Quota uint64
}

// newSystem makes a guest's world of the configuration.
func (c *Config) newSystem(ctx context.Context, threads bool, out *callbackQueues) (*system.Guest,
	*guard.Network, error) {
	s := system.Config{
		Args: c.Args, Env: c.Env,
		Stdin: c.Stdin, Stdout: c.Stdout, Stderr: c.Stderr,
		NonblockingListeners: c.NonblockingSockets, Random: c.Random,
		OnLimit: out.onLimit(c.OnLimit), MaxDescriptors: c.MaxDescriptors, MaxCPU: c.MaxCPU,
	}
	if err := checkStrings(c.Args, c.Env); err != nil {
		return nil, nil, err
	}
	guarded := c.guard(threads, out)
	s.Network = guarded
	err := c.openResources(&s, guarded)
	if err != nil {
		for _, p := range s.Preopens {
			p.Dir.Close()
		}
		for _, l := range s.Listeners {
			l.Close()
		}
		return nil, nil, err
	}
	sys, err := system.New(ctx, s)
	return sys, guarded, err
}

// openResources opens the directories, and duplicates the sockets, that the guest is handed.
func (c *Config) openResources(s *system.Config, guarded *guard.Network) (err error) {
	for _, d := range c.Dirs {
		dir, err := hostfs.OpenRoot(d.Host, hostfsAccess(d))
		if err != nil {
			return fmt.Errorf("directory %s: %w", d.Host, err)
		}
		name := d.Guest
		if name == "" {
			name = d.Host
		}
		s.Preopens = append(s.Preopens, system.Preopen{Dir: dir, Name: name, Quota: d.Quota})
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
			return fmt.Errorf("socket handed to the guest: %w", err)
		}
		s.Listeners = append(s.Listeners, guarded.Adopt(sock))
	}
	return nil
}

// checkCacheDirs refuses directories by which the guest could have later processes run machine code
// of its own.
func (c *Config) checkCacheDirs(cacheDir, keyDir string) error {
	if cacheDir == "" {
		return nil
	}
	var writable []string
	for _, d := range c.Dirs {
		if !d.ReadOnly {
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

func hostfsAccess(d Dir) hostfs.Access {
	if d.ReadOnly {
		return hostfs.ReadOnly
	}
	return hostfs.ReadWrite
}

// checkStrings refuses what cannot be passed on as C strings.
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
