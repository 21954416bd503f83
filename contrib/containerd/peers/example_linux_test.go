package peers

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"
)

// TestExample runs the web server of deploy/kubernetes/example.yaml as its pod says, with the
// policy of its annotation, and asks it for a page as a probe of the kubelet does.
func TestExample(t *testing.T) {
	require(t)
	module := filepath.Join(t.TempDir(), "web.wasm")
	build := exec.Command("go", "build", "-C", "../../..", "-o", module, "./examples/httpserver")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	n := startNode(t, releases()[1])
	first, _, _ := strings.Cut(n.read("../../../deploy/kubernetes/example.yaml"), "\n---\n")
	var web appsv1.Deployment
	if err := yaml.UnmarshalStrict([]byte(first), &web); err != nil {
		t.Fatal(err)
	}
	pod := web.Spec.Template
	container := pod.Spec.Containers[0]
	program, err := os.ReadFile(module)
	if err != nil {
		t.Fatal(err)
	}
	p := n.sandbox(pod.Annotations)
	user := object{"value": *container.SecurityContext.RunAsUser}
	p.start(moduleImage(t, container.Image, program), object{"args": container.Args,
		"linux": object{
			"resources": object{
				"memory_limit_in_bytes": container.Resources.Limits.Memory().Value(),
			},
			"security_context": object{"run_as_user": user, "readonly_rootfs": true},
		}})
	n.until("the page comes", func() error {
		at := fmt.Sprintf("http://%s:%d/pod", p.address, container.Ports[0].ContainerPort)
		answer, err := http.Get(at)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil || string(text) != "hello pod, from WebAssembly\n" {
			t.Errorf("got %v and %q, want the page", err, text)
		}
		return nil
	})
}
