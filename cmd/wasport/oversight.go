package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/hostpath"
)

// oversight is what the flags say of how a guest's use of the network is watched.
type oversight struct {
	learn, audit, metrics string
	dryRun                bool

	lesson   *lesson
	listener net.Listener   // for metrics
	ends     []func() error // in the order in which they were begun
}

func (o *oversight) group() group {
	g := newGroup("Finding the right permissions, and watching over them")
	g.StringVar(&o.learn, "learn", "",
		"`FILE` let it do everything, and add to a policy what it needs; - is stdout")
	g.BoolVar(&o.dryRun, "dry-run", false, "refuse nothing, and say what would have been refused")
	g.StringVar(&o.audit, "audit", "", "`FILE` add a line of JSON for each decision; - is stdout")
	g.Func("metrics", "`HOST:PORT` serve counters there, for Prometheus", func(s string) error {
		o.metrics = s
		return checkHostPort(s, "127.0.0.1:9090 or [::1]:9090")
	})
	return g
}

// openLesson opens what --learn names.
func (o *oversight) openLesson() (err error) {
	switch {
	case o.learn == "":
		return nil
	case o.dryRun:
		return usage("run", "--learn and --dry-run both refuse nothing; leave one of them out")
	}
	o.lesson, err = openLesson(o.learn)
	return err
}

// begin opens what the flags name.
func (o *oversight) begin(c *wasport.Config, name string) error {
	c.Name, c.DryRun = name, o.dryRun
	if o.lesson != nil {
		warn("--learn lets the program do everything that no deny and no ceiling forbids")
		c.Learner = &o.lesson.learner
		o.ends = append(o.ends, func() error { return o.lesson.write(name) })
	}
	if o.audit != "" {
		f := standardFile(o.audit)
		if f == nil {
			var err error
			if f, err = hostpath.Open(o.audit, os.O_WRONLY|os.O_CREATE|os.O_APPEND,
				0o600); err != nil {
				return usage("", "--audit %s: %w", o.audit, plain(err))
			}
			o.ends = append(o.ends, f.Close)
		}
		c.Audit = slog.New(slog.NewJSONHandler(&auditFile{file: f},
			&slog.HandlerOptions{ReplaceAttr: withoutLevel}))
	}
	if o.metrics != "" {
		var err error
		if o.listener, err = net.Listen("tcp", o.metrics); err != nil {
			return fmt.Errorf("--metrics %s: %w", o.metrics, plain(err))
		}
	}
	return nil
}

// end closes what was opened, and writes what was learnt.
func (o *oversight) end() error {
	var errs []error
	for _, end := range o.ends {
		errs = append(errs, end())
	}
	return errors.Join(errs...)
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// auditFile says once when a line is lost.
type auditFile struct {
	file io.Writer
	once sync.Once
}

func (f *auditFile) Write(b []byte) (int, error) {
	n, err := f.file.Write(b)
	if err != nil {
		f.once.Do(func() { warn("--audit: decisions are not recorded any more: %v", err) })
	}
	return n, err
}

// withoutLevel drops what the other attributes say already.
func withoutLevel(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
		return slog.Attr{}
	}
	return a
}

// watch runs a guest to its end, under the eyes of whatever the flags name.
func (f *runFlags) watch(ctx context.Context, mod *wasport.Module) (wasport.Status, error) {
	hangup := make(chan os.Signal, 1)
	if f.permissions.hasFiles() {
		signal.Notify(hangup, syscall.SIGHUP)
		defer signal.Stop(hangup)
	}
	guest, err := mod.Start(ctx, f.config)
	if err != nil {
		return wasport.Status{}, err
	}
	done := make(chan struct{})
	defer close(done)
	go func() { // which is not waited for: to read a file that has become a FIFO may take for ever
		for {
			select {
			case <-hangup:
				f.permissions.reload(guest, f.oversight.lesson)
			case <-done:
				return
			}
		}
	}()
	if l := f.oversight.listener; l != nil {
		defer serveMetrics(l, guest)()
	}
	status, err := guest.Wait()
	f.lacks = guest.Lacks()
	return status, err
}
