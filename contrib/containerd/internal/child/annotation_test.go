package child

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// TestAnnotations has annotations that hold, and others that an operator could believe to.
func TestAnnotations(t *testing.T) {
	for _, test := range []struct {
		annotations map[string]string
		want        string // in the error; empty: none
	}{
		{map[string]string{"wasport.dev/policy": "", "wasport.dev/policy.app": "",
			"other/polcy": "", "wasport.dev/audit": "true", "wasport.dev/trace": "false"}, ""},
		{map[string]string{"wasport.dev/policy-file": "/a", "wasport.dev/policy.app": ""}, ""},
		{map[string]string{"wasport.dev/policy-file": "/a", "wasport.dev/policy": ""},
			"both there"},
		{map[string]string{"wasport.dev/polcy": ""}, `no annotation "wasport.dev/polcy"`},
		{map[string]string{"wasport.dev/policy.": ""}, "no annotation"},
		{map[string]string{"wasport.dev/audit": "yes"}, "true or false"},
		{map[string]string{"wasport.dev/trace": "True"}, "true or false"},
	} {
		err := checkAnnotations(test.annotations)
		if test.want == "" && err != nil ||
			test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%v: got %v, want %q", test.annotations, err, test.want)
		}
	}
}

// TestAuditWithoutHint leaves the command's flags out of audit records.
func TestAuditWithoutHint(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{ReplaceAttr: withoutHint}))
	log.Info("connect", "hint", "--allow-connect any", "decision", "deny")
	if got := out.String(); strings.Contains(got, "hint") || !strings.Contains(got, "deny") {
		t.Errorf("got %s, want the decision alone", got)
	}
}
