package dial

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

// The values of RFC 1928 and RFC 1929.
const (
	socksVersion = 5
	authVersion  = 1

	methodNone     = 0
	methodPassword = 2
	methodRefused  = 0xff

	commandConnect = 1

	addressIPv4 = 1
	addressName = 3
	addressIPv6 = 4
)

// connectSOCKS speaks SOCKS5. It reads no byte behind the answer, since the connection begins
// there.
func (p *proxy) connectSOCKS(conn net.Conn, address string) (net.Conn, error) {
	hello := []byte{socksVersion, 1, methodNone}
	if p.hasCredentials {
		hello = []byte{socksVersion, 2, methodNone, methodPassword}
	}
	var answer [2]byte
	if err := p.exchange(conn, hello, answer[:]); err != nil {
		return nil, err
	}
	switch {
	case answer[0] != socksVersion:
		return nil, p.garbage("SOCKS5")
	case answer[1] == methodNone:
	case answer[1] == methodPassword && p.hasCredentials:
		if err := p.logIn(conn); err != nil {
			return nil, err
		}
	case answer[1] == methodRefused && p.hasCredentials:
		return nil, p.failure("", "it accepts no user and password", syscall.EACCES)
	case answer[1] == methodRefused:
		return nil, p.failure("", "it asks for a user and a password", syscall.EACCES)
	default:
		return nil, p.garbage("SOCKS5")
	}
	if _, err := conn.Write(socksRequest(address)); err != nil {
		return nil, p.lost()
	}
	reply, err := readSOCKSReply(conn)
	switch {
	case err == errNotSOCKS:
		return nil, p.garbage("SOCKS5")
	case err != nil:
		return nil, p.lost()
	case reply == 0:
		return conn, nil
	}
	for _, r := range socksReplies {
		if r.code == reply {
			return nil, p.failure(address, r.problem, r.errno)
		}
	}
	return nil, p.failure(address, "it failed with code "+strconv.Itoa(int(reply)),
		syscall.EHOSTUNREACH)
}

// socksReplies are the failures of RFC 1928, section 6.
var socksReplies = []struct {
	code    byte
	problem string
	errno   syscall.Errno
}{
	{1, "it failed", syscall.EHOSTUNREACH},
	{2, "its rules do not allow this", syscall.EACCES},
	{3, "it cannot reach the network", syscall.ENETUNREACH},
	{4, "it cannot reach the host", syscall.EHOSTUNREACH},
	{5, "the connection was refused", syscall.ECONNREFUSED},
	{6, "the host did not answer in time", syscall.ETIMEDOUT},
	{7, "it does not connect streams", syscall.EOPNOTSUPP},
	{8, "it does not know this kind of address", syscall.EAFNOSUPPORT},
}

// logIn sends the user and the password.
func (p *proxy) logIn(conn net.Conn) error {
	b := []byte{authVersion, byte(len(p.user))}
	b = append(append(b, p.user...), byte(len(p.password)))
	b = append(b, p.password...)
	var answer [2]byte
	if err := p.exchange(conn, b, answer[:]); err != nil {
		return err
	}
	if answer[1] != 0 {
		return p.failure("", "it refuses the user or the password", syscall.EACCES)
	}
	return nil
}

// exchange writes a message and reads an answer of a fixed length.
func (p *proxy) exchange(conn net.Conn, message, answer []byte) error {
	_, err := conn.Write(message)
	if err == nil {
		_, err = io.ReadFull(conn, answer)
	}
	if err != nil {
		return p.lost()
	}
	return nil
}

// lost is the error of a proxy that ends the connection.
func (p *proxy) lost() *ProxyError {
	return p.failure("", "it ended the connection", syscall.ECONNRESET)
}

// socksRequest returns the request to connect to an address that checkTarget has accepted.
func socksRequest(address string) []byte {
	host, portText, _ := net.SplitHostPort(address)
	port, _ := strconv.ParseUint(portText, 10, 16)
	b := []byte{socksVersion, commandConnect, 0}
	switch a, err := netip.ParseAddr(host); {
	case err != nil:
		b = append(append(b, addressName, byte(len(host))), host...)
	case a.Unmap().Is4():
		b = append(append(b, addressIPv4), a.Unmap().AsSlice()...)
	default:
		b = append(append(b, addressIPv6), a.AsSlice()...)
	}
	return binary.BigEndian.AppendUint16(b, uint16(port))
}

// errNotSOCKS is the error of an answer that is not one of SOCKS5.
var errNotSOCKS = syscall.EPROTO

// readSOCKSReply reads the answer to a request and returns its code. The address in it is skipped.
func readSOCKSReply(r io.Reader) (code byte, err error) {
	var b [4 + 1 + 255 + 2]byte
	if _, err := io.ReadFull(r, b[:4]); err != nil {
		return 0, err
	}
	if b[0] != socksVersion {
		return 0, errNotSOCKS
	}
	rest := 2
	switch b[3] {
	case addressIPv4:
		rest += 4
	case addressIPv6:
		rest += 16
	case addressName:
		if _, err := io.ReadFull(r, b[4:5]); err != nil {
			return 0, err
		}
		rest += int(b[4])
	default:
		return 0, errNotSOCKS
	}
	_, err = io.ReadFull(r, b[5:5+rest])
	return b[1], err
}
