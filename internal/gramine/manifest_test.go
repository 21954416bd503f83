package gramine

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestManifest checks that each mount of the manifest is a trusted or an allowed file. Gramine
// opens no other.
func TestManifest(t *testing.T) {
	b, err := os.ReadFile("../../contrib/gramine/wasport.manifest.template")
	if err != nil {
		t.Fatal(err)
	}
	mounts, files, ok := strings.Cut(string(b), "sgx.trusted_files")
	if !ok {
		t.Fatal("got no list of trusted files")
	}
	mounted := make(map[string]bool)
	for _, m := range regexp.MustCompile(`uri = "(file:[^"]+)"`).FindAllStringSubmatch(mounts, -1) {
		mounted[m[1]] = true
		if !strings.Contains(files, `"`+m[1]+`"`) && !strings.Contains(files, `"`+m[1]+`/"`) {
			t.Errorf("%s is neither trusted nor allowed", m[1])
		}
	}
	for _, file := range []string{"/etc/hosts", "/etc/resolv.conf", "/etc/services"} {
		if !mounted["file:"+file] {
			t.Errorf("%s is not mounted", file)
		}
	}
}
