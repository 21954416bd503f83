package guard

import (
	"context"
	"log/slog"
	"strconv"
	"syscall"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/policy"
)

var _ network.UnixSocket = (*socket)(nil)

// unixSocket returns the socket beneath if it can be given a path: not if it was adopted, since its
// owner has bound or connected it.
func (s *socket) unixSocket() (network.UnixSocket, error) {
	u, ok := s.Socket.(network.UnixSocket)
	switch {
	case !ok || s.Family() != network.Unix:
		return nil, syscall.EAFNOSUPPORT
	case s.adoptGrant != nil:
		return nil, syscall.EINVAL
	}
	return u, nil
}

// unixRequest returns the request to do something at a path.
func unixRequest(op policy.Op, path string) *policy.Request {
	return &policy.Request{Op: op, Protocol: policy.Unix, Path: path}
}

// BindUnix returns EINVAL for a socket that has a path (bind(2)), without asking a rule.
func (s *socket) BindUnix(a network.UnixAddr) error {
	u, err := s.unixSocket()
	if err != nil {
		return err
	}
	s.addrMu.Lock()
	defer s.addrMu.Unlock()
	if s.path != "" {
		return syscall.EINVAL
	}
	if err := s.enforce(s.net.active.Load(), unixRequest(policy.OpBind, a.Path)); err != nil {
		return err
	}
	if err := u.BindUnix(a); err != nil {
		return err
	}
	s.path = a.Path
	return nil
}

// listenUnix is Listen for a socket with a path. One without is EINVAL (unix(7)). The caller holds
// addrMu.
func (s *socket) listenUnix(backlog int) error {
	if s.path == "" {
		return syscall.EINVAL
	}
	if err := s.enforce(s.net.active.Load(), unixRequest(policy.OpListen, s.path)); err != nil {
		return err
	}
	return s.listenKernel(backlog)
}

// ConnectUnix asks as Connect does: first for the state, then for the rule, then for the limit. A
// caller that waits for room in the backlog connects again and again; the limit is charged and the
// decision recorded once.
func (s *socket) ConnectUnix(a network.UnixAddr) error {
	defer s.watchAgain(network.Readable | network.Writable) // its events change
	switch s.state() {
	case stateConnected:
		return syscall.EISCONN
	case stateListening:
		return syscall.EINVAL
	}
	u, err := s.unixSocket()
	if err != nil {
		return err
	}
	s.addrMu.Lock()
	defer s.addrMu.Unlock()
	active, r := s.net.active.Load(), unixRequest(policy.OpConnect, a.Path)
	d := s.decide(active, r)
	if !d.Allowed || s.waitsFor != a.Path {
		if err := s.enforceDecision(active, r, d); err != nil {
			return err
		}
		if err := s.net.chargeConnect(active, *r); err != nil {
			return err
		}
	}
	err = u.ConnectUnix(a)
	s.waitsFor = ""
	if err == network.ErrBacklogFull {
		s.waitsFor = a.Path
	}
	s.noteConnectResult(err)
	return err
}

// formatPath returns a path for a record. One with a control character is quoted and cut.
func formatPath(path string) string {
	quoted := strconv.QuoteToASCII(path[:min(len(path), maxName)])
	if plain := quoted[1 : len(quoted)-1]; plain == path {
		return plain
	}
	return quoted
}

// admitUnixPeer judges an incoming connection by the rule of its listener. No rule is about the
// peer: the permissions of the listener's file and directory decide on that (unix(7)).
func (s *socket) admitUnixPeer(active *policySnapshot) bool {
	s.addrMu.Lock()
	path := s.path
	s.addrMu.Unlock()
	if s.adoptGrant == nil {
		r := unixRequest(policy.OpListen, path)
		if d := s.decide(active, r); !d.Allowed {
			return s.rejectPeer(active, r, d)
		}
	}
	s.net.noteUnixPeer(path)
	return true
}

// noteUnixPeer counts and records a connection to a Unix-domain listener, at a path unless it was
// adopted.
func (n *Network) noteUnixPeer(path string) {
	n.counters.allowed[policy.OpAccept].Add(1)
	if n.options.Audit == nil {
		return
	}
	attrs := []slog.Attr{slog.String("action", policy.OpAccept.String()),
		slog.String("protocol", policy.Unix.String())}
	if path != "" {
		attrs = append(attrs, slog.String("local", formatPath(path)))
	}
	n.options.Audit.LogAttrs(context.Background(), slog.LevelInfo, recordMessage,
		append(attrs, slog.String("decision", "allowed"))...)
}
