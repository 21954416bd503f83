package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/hostpath"
)

// monitoring holds the flags that observe the guest's use of the network, and their outputs.
type monitoring struct {
	learn, audit, metrics string
	dryRun                bool

	learnFile *learnFile
	// listener is the one of --metrics.
	listener net.Listener
	// closers run in the order in which their files were opened.
	closers []func() error
}

func (m *monitoring) group() group {
	g := newGroup("Learning and watching permissions")
	g.StringVar(&m.learn, "learn", "",
		"`FILE` allow all access, and add the rules used to a policy; - is stdout")
	g.BoolVar(&m.dryRun, "dry-run", false, "refuse nothing, but report each would-be refusal")
	g.StringVar(&m.audit, "audit", "",
		"`FILE` append each decision as a line of JSON; - is stdout")
	g.Func("metrics", "`HOST:PORT` serve counters for Prometheus at this address",
		func(s string) error {
			m.metrics = s
			return checkHostPort(s, "127.0.0.1:9090 or [::1]:9090")
		})
	return g
}

// openLearnFile opens the output of --learn, if there is one.
func (m *monitoring) openLearnFile() (err error) {
	if m.learn == "" {
		return nil
	}
	m.learnFile, err = openLearnFile(m.learn)
	return err
}

// openAll opens the audit log and the metrics listener, and completes the guest's configuration.
func (m *monitoring) openAll(c *wasport.Config, name string) error {
	c.Name, c.DryRun = name, m.dryRun
	if m.learnFile != nil {
		warnf("--learn lets the program do everything that no deny and no ceiling forbids")
		c.Learner = &m.learnFile.learner
		m.closers = append(m.closers, func() error { return m.learnFile.write(name) })
	}
	if m.audit != "" {
		file, err := m.openAudit()
		if err != nil {
			return err
		}
		c.Audit = slog.New(slog.NewJSONHandler(&warningWriter{file: file,
			lost: "--audit: decisions are"},
			&slog.HandlerOptions{ReplaceAttr: dropLevelAndMessage}))
	}
	if m.metrics != "" {
		var err error
		if m.listener, err = net.Listen("tcp", m.metrics); err != nil {
			return fmt.Errorf("--metrics %s: %w", m.metrics, listenError(err))
		}
	}
	return nil
}

func (m *monitoring) openAudit() (*os.File, error) {
	if file := standardStream(m.audit); file != nil {
		return file, nil
	}
	file, err := hostpath.Open(m.audit, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, usageError("", "--audit %s: %w", m.audit, plainError(err))
	}
	m.closers = append(m.closers, file.Close)
	return file, nil
}

// closeAll writes the learnt policy and closes the files.
func (m *monitoring) closeAll() error {
	var errs []error
	for _, closeOne := range m.closers {
		errs = append(errs, closeOne())
	}
	return errors.Join(errs...)
}

// warningWriter warns when the first record is lost. It may be used by several goroutines.
type warningWriter struct {
	file io.Writer
	once sync.Once

	// lost is the flag and the things that are not recorded, up to the verb.
	lost string
}

func (w *warningWriter) Write(b []byte) (int, error) {
	n, err := w.file.Write(b)
	if err != nil {
		w.once.Do(func() { warnf("%s not recorded any more: %v", w.lost, err) })
	}
	return n, err
}

// dropLevelAndMessage removes two of slog's attributes from a record: the record's own attributes
// contain their information.
func dropLevelAndMessage(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
		return slog.Attr{}
	}
	return a
}
