package bootstrap

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	boot "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	api "github.com/containerd/containerd/api/runtime/task/v2"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/ttrpc"
	"github.com/containerd/typeurl/v2"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"github.com/wasport/wasport/internal/testutil"
)

// TestMain makes this program the process that start leaves behind.
func TestMain(m *testing.M) {
	if os.Args[len(os.Args)-1] == serve {
		f, err := ParseFlags(os.Args[1:])
		if err == nil {
			err = Serve(f)
		}
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// onNode runs a test with a /run of its own. Processes that it leaves end with it.
func onNode(t *testing.T, test func(*testing.T)) {
	testutil.InNamespaces(t, syscall.CLONE_NEWNS|syscall.CLONE_NEWPID, nil, func(t *testing.T) {
		for _, err := range []error{unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
			unix.Mount("tmpfs", "/run", "tmpfs", 0, "")} {
			if err != nil {
				t.Fatal(err)
			}
		}
		test(t)
	})
}

// flags are those for a container, in a bundle that is made for it.
func flags(t *testing.T, id, pod string) *Flags {
	t.Helper()
	f := &Flags{Namespace: "ns", ID: id, Address: "/run/c.sock", Bundle: "/run/" + id}
	spec := specs.Spec{Root: &specs.Root{Path: "rootfs"},
		Process: &specs.Process{Args: []string{"x"}},
		Linux:   &specs.Linux{CgroupsPath: "/wasport-test/" + id}, Annotations: map[string]string{}}
	if pod != "" {
		spec.Annotations["io.kubernetes.cri.sandbox-id"] = pod
	}
	text, err := json.Marshal(spec)
	if err == nil {
		err = os.MkdirAll(f.Bundle, 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(f.Bundle, "config.json"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// begin runs start as containerd 1.6 does, and returns the socket.
func begin(t *testing.T, f *Flags) string {
	t.Helper()
	out, err := Start(f, bytes.NewReader(nil))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(string(out), "unix://")
}

// dial connects to a shim and tells its process.
func dial(t *testing.T, socket string) (client *ttrpc.Client, pid uint32) {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	client = ttrpc.NewClient(conn)
	r, err := api.NewTTRPCTaskClient(client).Connect(t.Context(), &api.ConnectRequest{ID: "x"})
	if err != nil || r.ShimPid == 0 {
		t.Fatalf("got %v, %v, want a process", r, err)
	}
	return client, r.ShimPid
}

// TestStartAnswersEachContainerd is about the three ways to read stdin and stdout of start.
func TestStartAnswersEachContainerd(t *testing.T) {
	marshal := func(m proto.Message) []byte {
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	runc, err := typeurl.MarshalAnyToProto(&options.Options{BinaryName: "runc"})
	if err != nil {
		t.Fatal(err)
	}
	dir := "/run/other"
	for _, row := range []struct {
		name  string
		stdin []byte
		want  string // the beginning of an address, or the directory in a message
		bare  bool
	}{
		{"1.6", nil, "unix:///run/containerd/s/", true},
		{"1.7 with options", marshal(runc), "unix:///run/containerd/s/", true},
		{"2.4", marshal(&boot.BootstrapParams{InstanceID: "c1", Namespace: "ns"}),
			"unix:///run/containerd/s/", false},
		{"2.4 with a directory", marshal(&boot.BootstrapParams{InstanceID: "c1",
			Namespace: "ns", SocketDir: &dir}), "unix:///run/other/", false},
		{"parameters of another container", marshal(&boot.BootstrapParams{InstanceID: "c2",
			Namespace: "ns"}), "unix:///run/containerd/s/", true},
		{"nonsense", []byte("\xff\xfe{"), "unix:///run/containerd/s/", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			onNode(t, func(t *testing.T) {
				f := flags(t, "c1", "")
				out, err := Start(f, bytes.NewReader(row.stdin))
				if err != nil {
					t.Fatal(err)
				}
				got := string(out)
				if !row.bare {
					var r boot.BootstrapResult
					if err := proto.Unmarshal(out, &r); err != nil || r.Version != 2 ||
						r.Protocol != "ttrpc" {
						t.Fatalf("got %q, want version 2 and ttrpc", out)
					}
					got = r.Address
				}
				if !strings.HasPrefix(got, row.want) {
					t.Errorf("got %q, want %q and a name", got, row.want)
				}
				text, err := os.ReadFile(filepath.Join(f.Bundle, "address"))
				if err != nil || string(text) != got {
					t.Errorf("got %q, %v in the file address, want %q", text, err, got)
				}
				dial(t, strings.TrimPrefix(got, "unix://"))
			})
		})
	}
}

func TestPodSharesOneShim(t *testing.T) {
	onNode(t, func(t *testing.T) {
		first := begin(t, flags(t, "c1", "pod"))
		_, pid := dial(t, first)
		if again := begin(t, flags(t, "c2", "pod")); again != first {
			t.Errorf("got %s for the second container, want %s", again, first)
		}
		if _, got := dial(t, first); got != pid {
			t.Errorf("got process %d, want %d", got, pid)
		}
		if other := begin(t, flags(t, "c3", "")); other == first {
			t.Errorf("got %s for another pod, want one of its own", other)
		}
	})
}

// TestShimEndsWithItsLastContainer asks a shim to end that expects a container, and one that does
// not.
func TestShimEndsWithItsLastContainer(t *testing.T) {
	onNode(t, func(t *testing.T) {
		f := flags(t, "c1", "pod")
		socket := begin(t, f)
		client, pid := dial(t, socket)
		other := flags(t, "c2", "pod")
		begin(t, other)
		for i, want := range []bool{true, false} {
			if out, err := Delete([]*Flags{f, other}[i]); err != nil || len(out) == 0 {
				t.Fatalf("got %q, %v, want an answer", out, err)
			}
			if want {
				if _, got := dial(t, socket); got != pid {
					t.Errorf("got process %d, want %d: it expects a container", got, pid)
				}
				continue
			}
			if err := client.UserOnCloseWait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := os.Stat(socket); err == nil {
			t.Error("got a socket without a shim, want none")
		}
		if socket2 := begin(t, f); socket2 != socket {
			t.Errorf("got %s for a new shim, want %s", socket2, socket)
		} else if _, got := dial(t, socket); got == pid {
			t.Errorf("got process %d again, want another", got)
		}
	})
}

// TestDeleteAfterKill kills a shim and cleans up, twice.
func TestDeleteAfterKill(t *testing.T) {
	onNode(t, func(t *testing.T) {
		f := flags(t, "c1", "")
		socket := begin(t, f)
		client, pid := dial(t, socket)
		if err := unix.Kill(int(pid), unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if err := client.UserOnCloseWait(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			out, err := Delete(f)
			var r api.DeleteResponse
			if err == nil {
				err = proto.Unmarshal(out, &r)
			}
			if err != nil || r.ExitStatus != 137 || r.ExitedAt == nil {
				t.Errorf("got %v, %v, want status 137", &r, err)
			}
			if _, err := os.Stat(socket); err == nil {
				t.Error("got a socket without a shim, want none")
			}
		}
	})
}

// TestNoShimIsLeftWithoutAddress has a start end before it can say where the shim is.
func TestNoShimIsLeftWithoutAddress(t *testing.T) {
	onNode(t, func(t *testing.T) {
		f := flags(t, "c1", "")
		if err := os.Mkdir(filepath.Join(f.Bundle, addressFile), 0o700); err != nil {
			t.Fatal(err)
		}
		if out, err := Start(f, bytes.NewReader(nil)); err == nil {
			t.Errorf("got %q, want an error", out)
		}
		if _, err := os.Stat(socketPath("", f.Address, f.Namespace, f.ID)); err == nil {
			t.Error("got a socket that nobody knows, want none")
		}
	})
}

func TestRefusedFlags(t *testing.T) {
	for _, args := range []string{"", "start", "-namespace ns start", "-namespace .. -id c start",
		"-namespace ns -id a/b start", "-namespace ns -id .. delete", "-unknown start"} {
		if f, err := ParseFlags(strings.Fields(args)); err == nil {
			t.Errorf("%q: got %+v, want an error", args, f)
		}
	}
	f, err := ParseFlags(strings.Fields("-debug -namespace ns -id c -address a -bundle /b delete"))
	if err != nil || f.Action != "delete" || f.Bundle != "/b" {
		t.Errorf("got %+v, %v, want an action", f, err)
	}
}
