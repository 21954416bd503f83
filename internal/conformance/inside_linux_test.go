package conformance

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/testutil"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/internal/dnstest"
)

// TestProgramsInNamespacePrintAsNative runs the programs of the folder inside with files in /etc of
// its own and without other hosts, in new namespaces. That takes root, or a system that lets other
// users make namespaces (user_namespaces(7)).
func TestProgramsInNamespacePrintAsNative(t *testing.T) {
	newBuilder(t)
	testutil.InNamespaces(t, unix.CLONE_NEWNET|unix.CLONE_NEWNS, nil, runInNamespace)
}

type records = map[dnsmessage.Type][]dnsmessage.ResourceBody

func runInNamespace(t *testing.T) {
	testutil.BringUp(t, "lo")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"resolv.conf":   "nameserver 127.0.0.1\n",
		"hosts":         "127.0.0.9 local.test\n",
		"nsswitch.conf": "hosts: files dns\n",
	} {
		file := filepath.Join(dir, name)
		err := os.WriteFile(file, []byte(text), 0o644)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		if err == nil {
			err = unix.Mount(file, "/etc/"+name, "", unix.MS_BIND, "")
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	dns, err := dnstest.StartAt(netip.MustParseAddrPort("127.0.0.1:53"))
	if err != nil {
		t.Fatal(err)
	}
	defer dns.Close()
	dns.Set("both.test", dnstest.Addrs("127.0.0.2", "::1"))
	dns.Set("four.test", dnstest.Addrs("127.0.0.3"))
	dns.Set("six.test", dnstest.Addrs("::1"))
	dns.Set("many.test", dnstest.Addrs("192.0.2.1", "127.0.0.4", "::1"))
	dns.Set("alias.test", dnstest.Answer{CNAME: "both.test"})
	dns.Set("chain.test", dnstest.Answer{CNAME: "alias.test"})
	dns.Set("failing.test", dnstest.Answer{Code: dnsmessage.RCodeServerFailure})
	text := &dnsmessage.TXTResource{TXT: []string{strings.Repeat("x", 200)}}
	dns.Set("large.test", dnstest.Answer{Truncate: true, Records: records{
		dnsmessage.TypeTXT: {text, text, text, text, text, text, text, text},
	}})
	name := dnsmessage.MustNewName
	dns.Set("records.test", dnstest.Answer{Addrs: dnstest.Addrs("192.0.2.3").Addrs, TTL: 300,
		Records: records{
			dnsmessage.TypeMX: {
				&dnsmessage.MXResource{Pref: 10, MX: name("mail.records.test.")},
				&dnsmessage.MXResource{Pref: 20, MX: name("other.test.")},
			},
			dnsmessage.TypeTXT: {&dnsmessage.TXTResource{TXT: []string{"some text", "more"}}},
			dnsmessage.TypeNS:  {&dnsmessage.NSResource{NS: name("ns.records.test.")}},
			dnsmessage.TypeSOA: {&dnsmessage.SOAResource{NS: name("ns.records.test."),
				MBox: name("root.records.test."), Serial: 1}},
			257: {&dnsmessage.UnknownResource{Type: 257, Data: []byte("\x00\x05issueca")}},
		}})
	dns.Set("_sip._udp.records.test", dnstest.Answer{Records: records{dnsmessage.TypeSRV: {
		&dnsmessage.SRVResource{Port: 5060, Target: name("sip.records.test.")}}}})
	dns.Set("3.2.0.192.in-addr.arpa", dnstest.Answer{Records: records{dnsmessage.TypePTR: {
		&dnsmessage.PTRResource{PTR: name("records.test.")}}}})

	b := newBuilder(t)
	rt := newRuntime(t)
	sources, err := filepath.Glob("inside/*.c")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		name := strings.TrimSuffix(filepath.Base(source), ".c")
		args := []string{name, "4", "0", "0", "0"}
		module := compileGuest(t, rt, b.buildModule(t, source))
		want := runNative(t, b.buildNative(t, source), args)
		comparePrinted(t, runModule(t, module, nil, args), want)
		comparePrinted(t, runModule(t, module, newMemoryHost(t), args), want)
	}
}
