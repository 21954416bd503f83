package wasi2

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/wasport/wasport/internal/component/wit"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/policy"
)

// TestErrorCodes converts each error of the host, and each errno of preview 1.
func TestErrorCodes(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{syscall.EACCES, "access-denied"}, {syscall.EPERM, "access-denied"},
		{&policy.Refusal{}, "access-denied"},
		{syscall.ENOTSUP, "not-supported"}, {syscall.EOPNOTSUPP, "not-supported"},
		{syscall.EAFNOSUPPORT, "not-supported"}, {syscall.EPROTONOSUPPORT, "not-supported"},
		{syscall.ENOPROTOOPT, "not-supported"},
		{syscall.EINVAL, "invalid-argument"}, {syscall.EDESTADDRREQ, "invalid-argument"},
		{syscall.ENOMEM, "out-of-memory"}, {syscall.ENOBUFS, "out-of-memory"},
		{syscall.ETIMEDOUT, "timeout"},
		{syscall.EALREADY, "concurrency-conflict"},
		{syscall.EAGAIN, "would-block"}, {syscall.EINPROGRESS, "would-block"},
		{os.ErrDeadlineExceeded, "would-block"},
		{syscall.EISCONN, "invalid-state"}, {syscall.ENOTCONN, "invalid-state"},
		{net.ErrClosed, "invalid-state"},
		{syscall.EMFILE, "new-socket-limit"}, {syscall.ENFILE, "new-socket-limit"},
		{syscall.EADDRNOTAVAIL, "address-not-bindable"},
		{connectError(syscall.EADDRNOTAVAIL), "address-in-use"},
		{connectError(syscall.ECONNREFUSED), "connection-refused"},
		{syscall.EADDRINUSE, "address-in-use"},
		{syscall.EHOSTUNREACH, "remote-unreachable"}, {syscall.ENETUNREACH, "remote-unreachable"},
		{syscall.EHOSTDOWN, "remote-unreachable"}, {syscall.ENETDOWN, "remote-unreachable"},
		{syscall.ECONNREFUSED, "connection-refused"},
		{syscall.ECONNRESET, "connection-reset"}, {syscall.ENETRESET, "connection-reset"},
		{syscall.ECONNABORTED, "connection-aborted"},
		{syscall.EMSGSIZE, "datagram-too-large"},
		{syscall.EIO, "unknown"}, {syscall.EPROTO, "unknown"}, {errors.New("other"), "unknown"},
		{fmt.Errorf("wrapped: %w", syscall.ECONNRESET), "connection-reset"},
		{notInProgress, "not-in-progress"},
	} {
		t.Run(fmt.Sprint(test.err), func(t *testing.T) {
			if got := codeOf(test.err); got.Error() != test.want {
				t.Errorf("got %v, want %s", got, test.want)
			}
		})
	}
	for e := wasi.E2BIG; e <= wasi.ENOTCAPABLE; e++ {
		if code, listed := codeOfErrno[e]; codeOf(e) != code || !listed && code != unknownError {
			t.Errorf("%v: got %v, want %v", e, codeOf(e), code)
		}
	}
}

// TestErrorCodeNames compares the names with those of the interface, by number.
func TestErrorCodeNames(t *testing.T) {
	names := World{}.Type(networkTypes, "error-code").Fields()
	if len(names) != len(errorCodes) {
		t.Fatalf("got %d codes, want %d", len(errorCodes), len(names))
	}
	for n, field := range names {
		if errorCodes[n] != field.Name {
			t.Errorf("code %d: got %s, want %s", n, errorCodes[n], field.Name)
		}
	}
}

// TestLayoutOfDatagrams compares the offsets of the direct functions with the layout of the types.
func TestLayoutOfDatagrams(t *testing.T) {
	const udp = "wasi:sockets/udp"
	typ := func(name string) *wit.Type { return World{}.Type(udp, name) }
	result := func(function string) *wit.Type { return World{}.Func(udp, function).Result }
	in, out, addr := typ("incoming-datagram"), typ("outgoing-datagram"), typ("ip-socket-address")
	v4, v6 := addr.Case(0), addr.Case(1)
	for _, test := range []struct {
		name      string
		got, want uint32
	}{
		{"incoming-datagram", incomingSize, in.Size()},
		{"its alignment", incomingAlign, in.Align()},
		{"its address", incomingAddress, in.Fields()[1].Offset},
		{"outgoing-datagram", outgoingSize, out.Size()},
		{"its alignment", outgoingAlign, out.Align()},
		{"its option", outgoingOption, out.Fields()[1].Offset},
		{"its address", outgoingAddress,
			out.Fields()[1].Offset + out.Fields()[1].Type.PayloadOffset()},
		{"ip-socket-address", addrPortSize, addr.Size()},
		{"its record", 4, addr.PayloadOffset()},
		{"IPv4 address", 6, addr.PayloadOffset() + v4.Fields()[1].Offset},
		{"IPv6 address", 12, addr.PayloadOffset() + v6.Fields()[2].Offset},
		{"IPv6 scope", 28, addr.PayloadOffset() + v6.Fields()[3].Offset},
		{"list in the result", 4,
			result("[method]incoming-datagram-stream.receive").PayloadOffset()},
		{"number in the result", 8,
			result("[method]outgoing-datagram-stream.send").PayloadOffset()},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.got != test.want {
				t.Errorf("got %d, want %d", test.got, test.want)
			}
		})
	}
}

// TestCodesOfOtherErrors asks for the error-code of errors that came from no socket, and from no
// file.
func TestCodesOfOtherErrors(t *testing.T) {
	c := newNetCaller(t)
	for of, want := range map[source][2]string{
		ofStream: {"none", "none"},
		ofFile:   {"none", "some(no-entry)"},
		ofSocket: {"some(unknown)", "none"},
	} {
		rep, err := c.fail(syscall.ENOENT, of)
		if err != nil {
			t.Fatal(err)
		}
		h := c.own("io/error", "error", rep)
		c.wants(want[0], "sockets/network.network-error-code", h)
		c.wants(want[1], "filesystem/types.filesystem-error-code", h)
	}
}
