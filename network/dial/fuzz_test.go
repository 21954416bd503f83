package dial

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzSOCKSReply reads any answer of a SOCKS5 proxy. It reads no byte behind an answer, and the
// answer means the same in pieces.
func FuzzSOCKSReply(f *testing.F) {
	for _, s := range []string{"", "\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50rest",
		"\x05\x05\x00\x03\x04host\x00\x50", "\x05\x00\x00\x04" + strings.Repeat("x", 18),
		"\x05\x00\x00\x03\xff" + strings.Repeat("x", 257), "\x04\x00\x00\x01", "HTTP/1.1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		r := bytes.NewReader(answer)
		code, err := readSOCKSReply(r)
		used := len(answer) - r.Len()
		again, err2 := readSOCKSReply(iotest.OneByteReader(bytes.NewReader(answer)))
		if code != again && err == nil || (err == nil) != (err2 == nil) {
			t.Errorf("got %d, %v and in pieces %d, %v, want the same", code, err, again, err2)
		}
		if err != nil {
			return
		}
		size := map[byte]int{addressIPv4: 10, addressIPv6: 22}[answer[3]]
		if answer[3] == addressName {
			size = 7 + int(answer[4])
		}
		if used != size || code != answer[1] {
			t.Errorf("got code %d after %d bytes, want %d after %d", code, used, answer[1], size)
		}
	})
}

// FuzzConnectAnswer reads any answer of an HTTP proxy. No byte behind the head is lost.
func FuzzConnectAnswer(f *testing.F) {
	for _, s := range []string{"", "HTTP/1.1 200 OK\r\n\r\nrest", "HTTP/1.0 407 x\r\nA: b\r\n\r\n",
		"HTTP/1.1 100 x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nA:\x00\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "\x05\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		r := bytes.NewReader(answer)
		status, early, err := readConnectAnswer(r)
		if err != nil {
			return
		}
		rest, _ := io.ReadAll(r)
		if got := append(early, rest...); !bytes.HasSuffix(answer, got) || status < 200 ||
			status < 300 && !endsHead(answer[:len(answer)-len(got)]) {
			t.Errorf("got status %d and the rest %q of %q, want what follows the head", status, got,
				answer)
		}
	})
}

func endsHead(b []byte) bool {
	return bytes.HasSuffix(b, []byte("\n\r\n")) || bytes.HasSuffix(b, []byte("\n\n"))
}

// FuzzProxyURL parses any URL. What is accepted names a host and a port.
func FuzzProxyURL(f *testing.F) {
	for _, s := range []string{"socks5://u:p@[::1]:1080", "http://a.test:80/", "socks5:x",
		"//x:1"} {
		f.Add(s, "a.test:80")
	}
	f.Fuzz(func(t *testing.T, url, target string) {
		if p, err := parseProxy(url); err == nil &&
			(!strings.Contains(p.addr, ":") || len(p.user) > 255 || len(p.password) > 255) {
			t.Errorf("%q: got %+v, want a host, a port and short credentials", url, p)
		}
		if checkTarget(target) == nil {
			if b := socksRequest(target); len(b) > 4+1+255+2 ||
				strings.ContainsAny(target, "\r\n /@") {
				t.Errorf("%q: got the request %q, want one address", target, b)
			}
		}
	})
}
