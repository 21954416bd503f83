package deploy

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/wasport/wasport/contrib/containerd/internal/node"
	"github.com/wasport/wasport/policy"
)

const manifests = "../../../../deploy/kubernetes"

// kinds has an empty object of each kind that the manifests may hold.
func kinds() map[string]runtime.Object {
	return map[string]runtime.Object{
		"v1 Namespace":                           &corev1.Namespace{},
		"v1 ConfigMap":                           &corev1.ConfigMap{},
		"v1 Service":                             &corev1.Service{},
		"apps/v1 Deployment":                     &appsv1.Deployment{},
		"apps/v1 DaemonSet":                      &appsv1.DaemonSet{},
		"node.k8s.io/v1 RuntimeClass":            &nodev1.RuntimeClass{},
		"networking.k8s.io/v1 NetworkPolicy":     &networkingv1.NetworkPolicy{},
		"autoscaling/v2 HorizontalPodAutoscaler": &autoscalingv2.HorizontalPodAutoscaler{},
	}
}

// load decodes all manifests strictly: an unknown or repeated key is an error. Names are kinds and
// names of objects.
func load(t *testing.T) map[string]runtime.Object {
	t.Helper()
	objects := map[string]runtime.Object{}
	files, err := filepath.Glob(manifests + "/*.yaml")
	if err != nil || len(files) != 3 {
		t.Fatalf("got the manifests %v and %v, want 3 of them", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range bytes.Split(text, []byte("\n---\n")) {
			name, object, err := decode(document)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			objects[name] = object
		}
	}
	return objects
}

func decode(document []byte) (name string, object runtime.Object, err error) {
	var kind struct {
		APIVersion, Kind string
		Metadata         struct{ Name string }
	}
	if err := yaml.Unmarshal(document, &kind); err != nil {
		return "", nil, err
	}
	object, ok := kinds()[kind.APIVersion+" "+kind.Kind]
	if !ok {
		return "", nil, fmt.Errorf("got a %s of %s, want one of the kinds above", kind.Kind,
			kind.APIVersion)
	}
	if err := yaml.UnmarshalStrict(document, object); err != nil {
		return "", nil, fmt.Errorf("%s %s: %w", kind.Kind, kind.Metadata.Name, err)
	}
	return kind.Kind + " " + kind.Metadata.Name, object, nil
}

func TestManifestsAreOfKubernetesTypes(t *testing.T) {
	objects := load(t)
	for name, object := range objects {
		if at, err := meta.Accessor(object); err != nil || at.GetName() == "" {
			t.Errorf("got %v and no name for %s, want a name", err, name)
		}
	}
	if _, _, err := decode([]byte("apiVersion: v1\nkind: Service\nspec: {prots: []}")); err == nil {
		t.Error("got no error for an unknown key, want one: the test shows nothing")
	}
}

// Each reference by a name or a label must find its object.
func TestManifestsFitTogether(t *testing.T) {
	objects := load(t)
	web := objects["Deployment web"].(*appsv1.Deployment)
	class := objects["RuntimeClass wasport"].(*nodev1.RuntimeClass)
	installer := objects["DaemonSet wasport-installer"].(*appsv1.DaemonSet)
	service := objects["Service web"].(*corev1.Service)
	border := objects["NetworkPolicy web"].(*networkingv1.NetworkPolicy)
	scaler := objects["HorizontalPodAutoscaler web"].(*autoscalingv2.HorizontalPodAutoscaler)
	container := web.Spec.Template.Spec.Containers[0]
	port := container.Ports[0]
	volume := installer.Spec.Template.Spec.Volumes[0].ConfigMap.Name
	for _, row := range []struct{ what, got, want string }{
		{"runtime class", *web.Spec.Template.Spec.RuntimeClassName, class.Name},
		{"handler", class.Handler, "wasport"},
		{"nodes", fmt.Sprint(class.Scheduling.NodeSelector),
			fmt.Sprint(installer.Spec.Template.Spec.NodeSelector)},
		{"pods of the service", fmt.Sprint(service.Spec.Selector),
			fmt.Sprint(web.Spec.Template.Labels)},
		{"pods of the network policy", fmt.Sprint(border.Spec.PodSelector.MatchLabels),
			fmt.Sprint(web.Spec.Template.Labels)},
		{"labels", fmt.Sprint(web.Spec.Selector.MatchLabels), fmt.Sprint(web.Spec.Template.Labels)},
		{"labels of the installer", fmt.Sprint(installer.Spec.Selector.MatchLabels),
			fmt.Sprint(installer.Spec.Template.Labels)},
		{"port of the service", service.Spec.Ports[0].TargetPort.StrVal, port.Name},
		{"port of the network policy", border.Spec.Ingress[0].Ports[0].Port.String(),
			fmt.Sprint(port.ContainerPort)},
		{"port of the guest", container.Args[0], fmt.Sprintf("0.0.0.0:%d", port.ContainerPort)},
		{"scaled", scaler.Spec.ScaleTargetRef.Name, web.Name},
		{"configuration", volume, objects["ConfigMap node"].(*corev1.ConfigMap).Name},
		{"namespace", installer.Namespace,
			objects["Namespace wasport-system"].(*corev1.Namespace).Name},
	} {
		if row.got != row.want {
			t.Errorf("%s: got %s, want %s", row.what, row.got, row.want)
		}
	}
	if container.Resources.Requests.Cpu().IsZero() {
		t.Error("got no request of processors, want one: the autoscaler's figure is a part of it")
	}
}

// The example's policy must be one under the installer's configuration of the node.
func TestPoliciesOfManifests(t *testing.T) {
	objects := load(t)
	web := objects["Deployment web"].(*appsv1.Deployment)
	text := web.Spec.Template.Annotations["wasport.dev/policy"]
	data := objects["ConfigMap node"].(*corev1.ConfigMap).Data
	config, err := node.Parse([]byte(data["containerd.toml"]))
	if err != nil {
		t.Fatal(err)
	}
	p, err := config.Policy("wasport.dev/policy", &text)
	if err != nil {
		t.Fatal(err)
	}
	for request, want := range map[string]bool{
		"listen tcp://0.0.0.0:8080":            true,
		"connect tcp://10.96.7.8:5432":         true,
		"connect tcp://10.96.7.8:80":           false,
		"connect tcp://10.244.1.2:5432":        false,
		"connect tcp://169.254.169.254:80":     false,
		"resolve db.default.svc.cluster.local": true,
	} {
		r, err := policy.ParseRequest(request)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Decide(r, nil); got.Allowed != want {
			t.Errorf("%s: got %v, want %v", request, got, want)
		}
	}
}
