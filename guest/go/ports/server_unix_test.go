//go:build unix

package ports_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/needs"
)

// TestRedisClientAgainstRedisServer runs go-redis against redis-server.
func TestRedisClientAgainstRedisServer(t *testing.T) {
	needs.Programs(t, "redis-server")
	dir := t.TempDir()
	addr := startServer(t, "Ready to accept connections", func(port string) *exec.Cmd {
		return exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
			"--dir", dir)
	})
	compareClient(t, "redis", "allow connect tcp://"+addr+"\nallow connect tcp://127.0.0.1:1",
		wasport.Config{}, addr)
}

// TestPostgresClientAgainstPostgreSQL runs pgx against PostgreSQL with a certificate of the test's
// authority.
func TestPostgresClientAgainstPostgreSQL(t *testing.T) {
	bin := postgresPrograms(t)
	dir, account := t.TempDir(), databaseUser(t)
	if account != nil {
		dir = ownedDir(t, account)
	}
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Dir = dir
		if account != nil {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account}
		}
		return cmd
	}
	data := filepath.Join(dir, "data")
	initdb := run("initdb", "-D", data, "-U", "tester", "--auth=trust", "--no-sync",
		"--encoding=UTF8", "--locale=C")
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	ca := newAuthority(t)
	cert, key := ca.issue(t, dir)
	if account != nil {
		if err := os.Chown(key, int(account.Uid), int(account.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	addr := startServer(t, "ready to accept connections", func(port string) *exec.Cmd {
		return run("postgres", "-D", data, "-p", port, "-h", "127.0.0.1", "-k", "", "-F",
			"-c", "ssl=on", "-c", "ssl_cert_file="+cert, "-c", "ssl_key_file="+key)
	})

	rules := "allow connect tcp://" + addr + "\nallow resolve localhost"
	for _, row := range []struct {
		name, url string
		c         wasport.Config
	}{
		{"by address", "postgres://tester@" + addr + "/postgres?sslmode=disable", wasport.Config{}},
		{"by name and with TLS", "postgres://tester@localhost:" + portOf(addr) +
			"/postgres?sslmode=verify-full&connect_timeout=10", ca.trustingConfig(t)},
	} {
		t.Run(row.name, func(t *testing.T) { compareClient(t, "postgres", rules, row.c, row.url) })
	}
}

// portOf returns the port of an address.
func portOf(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// postgresPrograms returns the directory of PostgreSQL's programs. Debian has one for each version.
func postgresPrograms(t *testing.T) string {
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres"); len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	file, err := exec.LookPath("postgres")
	if err != nil {
		needs.Missing(t, errors.New("postgres is missing; on Debian: apt-get install postgresql"))
	}
	return filepath.Dir(file)
}

// databaseUser returns the account that runs PostgreSQL, which refuses to run as root (initdb(1)).
// It is nil for the account of this process.
func databaseUser(t *testing.T) *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// ownedDir makes a directory that belongs to an account. Directories of t.TempDir would not do:
// only this process's account may search their parent.
func ownedDir(t *testing.T, account *syscall.Credential) string {
	dir, err := os.MkdirTemp("", "wasport-ports")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chown(dir, int(account.Uid), int(account.Gid)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// startServer starts a server on a free port, waits for a line that contains ready, and returns the
// address. It tries other ports if another program takes the port first.
func startServer(t *testing.T, ready string, command func(port string) *exec.Cmd) string {
	t.Helper()
	var output []string
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := l.Addr().String()
		l.Close()
		r, w := io.Pipe()
		cmd := command(portOf(addr))
		cmd.Stdout, cmd.Stderr = w, w
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			cmd.Wait()
			w.Close()
			close(ended)
		}()
		stop := func() {
			cmd.Process.Signal(os.Interrupt) // PostgreSQL then also ends its child processes
			<-ended
		}
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			output = append(output, lines.Text())
			if strings.Contains(lines.Text(), ready) {
				t.Cleanup(stop)
				go io.Copy(io.Discard, r)
				return addr
			}
		}
		<-ended
	}
	t.Fatalf("got no line with %q, want it from the server:\n%s", ready,
		strings.Join(output, "\n"))
	return ""
}
