package cgroup

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestPath(t *testing.T) {
	for _, row := range []struct{ given, want string }{
		{"", "/ns/id"}, {"/kubepods/burstable/pod1/c1", "/kubepods/burstable/pod1/c1"},
		{"relative/c1", "/relative/c1"}, {"/a/../../../b", "/b"},
		{"kubelet-kubepods-burstable-pod1_2.slice:cri-containerd:c1", "/kubelet.slice/" +
			"kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/" +
			"kubelet-kubepods-burstable-pod1_2.slice/cri-containerd-c1.scope"},
	} {
		got, err := Path(&specs.Spec{Linux: &specs.Linux{CgroupsPath: row.given}}, "ns", "id")
		if err != nil || got != row.want {
			t.Errorf("%q: got %q, %v, want %q", row.given, got, err, row.want)
		}
	}
	for _, given := range []string{"/", "/..", "/a/.."} {
		got, err := Path(&specs.Spec{Linux: &specs.Linux{CgroupsPath: given}}, "ns", "id")
		if err == nil {
			t.Errorf("%q: got %q, want an error", given, got)
		}
	}
	if got, err := Path(&specs.Spec{}, "ns", "id"); err != nil || got != "/ns/id" {
		t.Errorf("got %q, %v, want /ns/id", got, err)
	}
}
