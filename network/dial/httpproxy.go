package dial

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
)

// maxHTTPHead is the size in bytes up to which the head of an answer is read.
const maxHTTPHead = 64 << 10

// connectHTTP sends CONNECT. checkTarget has accepted the address, so no character of it can end
// the line.
func (p *proxy) connectHTTP(conn net.Conn, address string) (net.Conn, error) {
	head := "CONNECT " + address + " HTTP/1.1\r\nHost: " + address + "\r\n"
	if p.hasCredentials {
		head += "Proxy-Authorization: Basic " +
			base64.StdEncoding.EncodeToString([]byte(p.user+":"+p.password)) + "\r\n"
	}
	if _, err := io.WriteString(conn, head+"\r\n"); err != nil {
		return nil, p.lost()
	}
	status, early, err := readConnectAnswer(conn)
	switch {
	case err == io.ErrUnexpectedEOF:
		return nil, p.lost()
	case err != nil:
		return nil, p.garbage("HTTP")
	case status >= 200 && status < 300:
		return withEarlyBytes(conn, early), nil
	case status == http.StatusProxyAuthRequired && p.hasCredentials:
		return nil, p.failure("", "it refuses the user or the password", syscall.EACCES)
	case status == http.StatusProxyAuthRequired:
		return nil, p.failure("", "it asks for a user and a password", syscall.EACCES)
	}
	problem, errno := "it answers with status "+strconv.Itoa(status), syscall.EHOSTUNREACH
	switch status {
	case http.StatusForbidden:
		errno = syscall.EACCES
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		errno = syscall.ECONNREFUSED
	case http.StatusGatewayTimeout:
		errno = syscall.ETIMEDOUT
	}
	return nil, p.failure(address, problem, errno)
}

var errTooLong = errors.New("the head of the answer is too long")

// readConnectAnswer reads the head of the answer to a CONNECT. early are bytes behind it, which
// belong to the connection. Answers of class 1xx are skipped.
func readConnectAnswer(r io.Reader) (status int, early []byte, err error) {
	limited := &io.LimitedReader{R: r, N: maxHTTPHead}
	b := bufio.NewReader(limited)
	for {
		// An answer to CONNECT has no body (RFC 9110, section 9.3.6). Another one's is not read.
		answer, err := http.ReadResponse(b, &http.Request{Method: http.MethodConnect})
		if err != nil && limited.N == 0 {
			err = errTooLong
		}
		if err != nil {
			return 0, nil, err
		}
		if answer.StatusCode >= 200 {
			early, _ := b.Peek(b.Buffered())
			return answer.StatusCode, bytes.Clone(early), nil
		}
	}
}

// withEarlyBytes returns a connection that first delivers the early bytes. It can end its sending
// direction if conn can.
func withEarlyBytes(conn net.Conn, early []byte) net.Conn {
	if len(early) == 0 {
		return conn
	}
	c := &earlyConn{conn, early}
	if half, ok := conn.(halfCloser); ok {
		return struct {
			*earlyConn
			halfCloser
		}{c, half}
	}
	return c
}

// halfCloser is a connection that can end its sending direction.
type halfCloser interface{ CloseWrite() error }

// earlyConn is a connection with bytes that were read already.
type earlyConn struct {
	net.Conn
	early []byte
}

func (c *earlyConn) Read(b []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(b, c.early)
		c.early = c.early[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}
