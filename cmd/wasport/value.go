package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/bytesize"
	"github.com/wasport/wasport/internal/printable"
	"github.com/wasport/wasport/policy"
)

// parseDuration parses a Go duration or, like iwasm's --timeout, a bare number of milliseconds.
func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if ms, notNumber := strconv.ParseUint(s, 10, 32); notNumber == nil {
		d, err = time.Duration(ms)*time.Millisecond, nil
	}
	if err != nil || d <= 0 {
		return 0, errors.New("this is not a duration above zero; write for instance 500ms, " +
			"1m30s, or a number of milliseconds")
	}
	return d, nil
}

// parseThreads parses a number of threads for Config.MaxThreads, in which -1 means none and 0 the
// default.
func parseThreads(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	switch {
	case err != nil:
		return 0, errors.New("this is not a number of threads; write for instance 16, or 0 for " +
			"none besides the first")
	case n == 0:
		return -1, nil
	}
	return int(n), nil
}

// parseDescriptors parses a number of descriptors. Every guest starts with three (stdin(3)).
func parseDescriptors(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || n < 3 {
		return 0, errors.New("this is not a number of descriptors from 3 on; write for instance " +
			"256; stdin, stdout and stderr count")
	}
	return int(n), nil
}

// parseDir parses HOST[::GUEST][:OPTION...], where OPTION is ro, rw or quota=SIZE. HOST may contain
// colons if GUEST follows, and begin with a drive on Windows.
func parseDir(s string) (wasport.Dir, error) {
	volume := filepath.VolumeName(s) // "C:" on Windows
	if strings.HasPrefix(s, ":") || strings.HasPrefix(s, ".:") {
		volume = "" // it was "::", or ".:" for the current directory
	}
	host, rest, named := strings.Cut(s[len(volume):], "::")
	guest, options, hasOptions := strings.Cut(rest, ":")
	if !named {
		host, options, hasOptions = strings.Cut(host, ":")
	}
	host = volume + host
	if err := checkHostName(host); err != nil {
		return wasport.Dir{}, err
	}
	d := wasport.Dir{Host: host, Guest: guest}
	if host == "" || named && guest == "" {
		return wasport.Dir{}, errors.New("this names no directory; write for instance ./data, " +
			"./data::/data or ./data::/data:ro")
	}
	if !hasOptions {
		return d, nil
	}
	writable := false
	for option := range strings.SplitSeq(options, ":") {
		switch {
		case option == "ro" && writable, option == "rw" && d.ReadOnly:
			return wasport.Dir{}, errors.New("a directory cannot be both :ro and :rw; write one")
		case option == "ro":
			d.ReadOnly = true
		case option == "rw": // the default
			writable = true
		case strings.HasPrefix(option, "quota="):
			var err error
			if d.Quota, err = bytesize.Parse(strings.TrimPrefix(option, "quota=")); err != nil {
				return wasport.Dir{}, fmt.Errorf("%s: %w", option, err)
			}
		case named:
			return wasport.Dir{}, fmt.Errorf("%q is no option here; write :ro for a directory "+
				"that cannot be changed, :rw, or :quota=1GiB", option)
		default: // Docker's --volume has HOST:GUEST
			return wasport.Dir{}, fmt.Errorf("%q is no option, as :ro and :rw are; "+
				"write %s::%s for the directory under another name, or %s::NAME if it has a "+
				"colon in its own", option, host, option, s)
		}
	}
	return d, nil
}

// checkHostName returns an error for a path of Windows with the name of a device, such as NUL,
// which is found in each directory. It also does for C:ro or C:, which is relative to the current
// directory of the drive, and easily taken for the whole drive or for one with an option.
func checkHostName(host string) error {
	volume := filepath.VolumeName(host)
	path := host[len(volume):]
	for name := range strings.FieldsFuncSeq(path, isSeparator) {
		// Some versions of Windows ignore extensions and the spaces before them.
		device := strings.TrimRight(name[:strings.IndexAny(name+".", ".:")], " ")
		if device != "" && !filepath.IsLocal(device) {
			return fmt.Errorf("%s is a device of Windows, not a directory; name another", name)
		}
	}
	if len(volume) != 2 || path != "" && (path[0] == '.' || os.IsPathSeparator(path[0])) {
		return nil
	}
	return fmt.Errorf(`%s can be read in two ways; write %s\ for the whole drive, with options `+
		`behind it, or %[2]s.\%[3]s in the current directory of the drive`, host, volume, path)
}

func isSeparator(r rune) bool { return r < utf8.RuneSelf && os.IsPathSeparator(uint8(r)) }

// parseMapDir parses GUEST::HOST, the syntax of iwasm's --map-dir.
func parseMapDir(s string) (wasport.Dir, error) {
	guest, host, ok := strings.Cut(s, "::")
	if !ok || guest == "" || host == "" {
		return wasport.Dir{}, errors.New("write GUEST::HOST, for instance /data::./data")
	}
	return wasport.Dir{Host: host, Guest: guest}, checkHostName(host)
}

// parseName parses a guest's name, which appears in messages and records without quotes.
func parseName(s string) (string, error) {
	if s == "" || printable.Name(s) != s {
		return "", errors.New(
			"a name has characters that print, and neither quotes nor backslashes")
	}
	return s, nil
}

func parseEnv(s string) (string, error) {
	if i := strings.IndexByte(s, '='); i <= 0 {
		return "", errors.New("write NAME=value")
	}
	return s, nil
}

// parseHost parses NAME=ADDR[,ADDR...].
func parseHost(s string) (name string, addrs []netip.Addr, err error) {
	name, list, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return "", nil, errors.New("write NAME=ADDRESS, for instance db.test=127.0.0.1")
	}
	for text := range strings.SplitSeq(list, ",") {
		if _, alone := policy.Readings(text); alone != "" {
			return "", nil, fmt.Errorf("%q can be read in two ways; write %s without the port, "+
				"or %s for the address",
				text, text[:strings.LastIndexByte(text, ':')], alone)
		}
		if bracketed, ok := strings.CutPrefix(text, "["); ok {
			text = strings.TrimSuffix(bracketed, "]")
		}
		a, err := netip.ParseAddr(text)
		if err != nil {
			return "", nil, fmt.Errorf("%q is not an IP address; write NAME=ADDRESS, for "+
				"instance db.test=127.0.0.1", text)
		}
		addrs = append(addrs, a)
	}
	if _, err := policy.CanonicalName(name); err != nil {
		return "", nil, fmt.Errorf("this is %w", err)
	}
	return name, addrs, nil
}

// parseServer parses the address of a DNS server, HOST:PORT or an IP address alone, for which the
// port is 53.
func parseServer(s string) (string, error) {
	ip := strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	if _, alone := policy.Readings(s); alone == "" {
		if a, err := netip.ParseAddr(ip); err == nil {
			return net.JoinHostPort(a.String(), "53"), nil
		}
	}
	if err := checkHostPort(s, "9.9.9.9:53 or [2620:fe::fe]:53"); err != nil {
		return "", err
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" {
		return "", errors.New("the host is missing; write for instance 9.9.9.9:53")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		// Port 0 is reserved (RFC 6335, 6), so no server answers from it.
		return "", fmt.Errorf("%q is not the port of a server; write for instance %s", port,
			net.JoinHostPort(host, "53"))
	}
	return s, nil
}

// checkHostPort accepts HOST:PORT with a numeric port and, as RFC 3986, 3.2.2 has it, with an IPv6
// address in brackets. Port 0 is a port of the system's choice, so it is only for listeners.
func checkHostPort(s, example string) error {
	switch withPort, alone := policy.Readings(s); {
	case alone != "":
		return fmt.Errorf("%q can be read in two ways; write %s for the port, or %s:PORT for the "+
			"address", s, withPort, alone)
	case withPort != "":
		return fmt.Errorf("an IPv6 address is in brackets when a port follows; write %s", withPort)
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("write HOST:PORT, for instance %s", example)
	}
	if host == "*" {
		return fmt.Errorf("* is no address; write 0.0.0.0:%s for every IPv4 address, [::]:%[1]s "+
			"for every IPv6 address", port)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q is not a port; write a number up to 65535", port)
	}
	return nil
}
