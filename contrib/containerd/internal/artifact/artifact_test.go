package artifact

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	containers "github.com/containerd/containerd/api/services/containers/v1"
	content "github.com/containerd/containerd/api/services/content/v1"
	images "github.com/containerd/containerd/api/services/images/v1"
	"github.com/containerd/containerd/api/types"
	digest "github.com/opencontainers/go-digest"
	oci "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// containerd serves one container, c, with one image, i, in the namespace ns.
type containerd struct {
	content.UnimplementedContentServer

	target oci.Descriptor
	blobs  map[string][]byte
}

type containerService struct {
	containers.UnimplementedContainersServer
	*containerd
}

type imageService struct {
	images.UnimplementedImagesServer
	*containerd
}

func (s containerService) Get(ctx context.Context, r *containers.GetContainerRequest) (
	*containers.GetContainerResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	if namespace := md["containerd-namespace"]; r.ID != "c" || len(namespace) != 1 ||
		namespace[0] != "ns" {
		return nil, status.Error(codes.NotFound, "no such container")
	}
	return &containers.GetContainerResponse{Container: &containers.Container{Image: "i"}}, nil
}

func (s imageService) Get(_ context.Context, r *images.GetImageRequest) (
	*images.GetImageResponse, error) {
	if r.Name != "i" {
		return nil, status.Error(codes.NotFound, "no such image")
	}
	return &images.GetImageResponse{Image: &images.Image{Target: &types.Descriptor{
		MediaType: s.target.MediaType, Digest: s.target.Digest.String()}}}, nil
}

func (s *containerd) Read(r *content.ReadContentRequest, out content.Content_ReadServer) error {
	blob, ok := s.blobs[r.Digest]
	if !ok {
		return status.Error(codes.NotFound, "no such blob")
	}
	for len(blob) > 0 {
		n := min(len(blob), 1<<20)
		if err := out.Send(&content.ReadContentResponse{Data: blob[:n]}); err != nil {
			return err
		}
		blob = blob[n:]
	}
	return nil
}

func (s *containerd) add(mediaType string, blob []byte) oci.Descriptor {
	d := digest.Digest(fmt.Sprintf("sha256:%x", sha256.Sum256(blob)))
	s.blobs[d.String()] = blob
	return oci.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(blob))}
}

func (s *containerd) object(mediaType string, v any) oci.Descriptor {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return s.add(mediaType, text)
}

func (s *containerd) manifest(layers ...oci.Descriptor) oci.Descriptor {
	return s.object(oci.MediaTypeImageManifest, oci.Manifest{Layers: layers})
}

func (s *containerd) index(list ...oci.Descriptor) oci.Descriptor {
	return s.object(oci.MediaTypeImageIndex, oci.Index{Manifests: list})
}

// serve serves on a socket and returns its path.
func (s *containerd) serve(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	containers.RegisterContainersServer(server, containerService{containerd: s})
	images.RegisterImagesServer(server, imageService{containerd: s})
	content.RegisterContentServer(server, s)
	go server.Serve(l)
	t.Cleanup(server.Stop)
	return path
}

func TestFind(t *testing.T) {
	const wasm = "application/wasm"
	module, other := []byte("\x00asm module"), []byte("\x00asm other")
	titled := func(d oci.Descriptor, title string) oci.Descriptor {
		d.Annotations = map[string]string{oci.AnnotationTitle: title}
		return d
	}
	forPlatform := func(d oci.Descriptor, architecture string) oci.Descriptor {
		d.Platform = &oci.Platform{Architecture: architecture}
		return d
	}
	for _, row := range []struct {
		name string
		make func(s *containerd) oci.Descriptor
		want string // a part of the error, or empty for the module
	}{
		{"one layer", func(s *containerd) oci.Descriptor {
			return s.manifest(s.add(wasm, module))
		}, ""},
		{"beside others", func(s *containerd) oci.Descriptor {
			return s.manifest(s.add("text/plain", other), s.add("application/x+wasm", module))
		}, ""},
		{"by title", func(s *containerd) oci.Descriptor {
			return s.manifest(s.add(wasm, other), titled(s.add(wasm, module), "a.wasm"))
		}, ""},
		{"by architecture", func(s *containerd) oci.Descriptor {
			return s.index(forPlatform(s.manifest(s.add(wasm, other)), "amd64"),
				forPlatform(s.manifest(s.add(wasm, module)), "wasm"))
		}, ""},
		{"several", func(s *containerd) oci.Descriptor {
			return s.manifest(s.add(wasm, other), s.add(wasm, module))
		}, "2 layers"},
		{"none", func(s *containerd) oci.Descriptor {
			return s.manifest(s.add(oci.MediaTypeImageLayer, module))
		}, "0 layers"},
		{"none for wasm", func(s *containerd) oci.Descriptor {
			return s.index(s.manifest(), s.manifest())
		}, "no manifest for wasm"},
		{"nested deeply", func(s *containerd) oci.Descriptor {
			d := s.manifest(s.add(wasm, module))
			for range 10 {
				d = s.index(d)
			}
			return d
		}, "nested"},
		{"huge manifest", func(s *containerd) oci.Descriptor {
			return s.add(oci.MediaTypeImageManifest, make([]byte, maxManifest+1))
		}, "too large"},
		{"no manifest", func(s *containerd) oci.Descriptor {
			return s.add(oci.MediaTypeImageManifest, module)
		}, "invalid"},
		{"missing blob", func(s *containerd) oci.Descriptor {
			return s.manifest(oci.Descriptor{MediaType: wasm, Digest: "sha256:00"})
		}, "no such blob"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := &containerd{blobs: make(map[string][]byte)}
			s.target = row.make(s)
			var got bytes.Buffer
			err := Find(t.Context(), s.serve(t), "ns", "c", "a.wasm", &got)
			switch {
			case row.want == "" && (err != nil || got.String() != string(module)):
				t.Errorf("got %q, %v, want %q", &got, err, module)
			case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
				t.Errorf("got %v, want an error with %q", err, row.want)
			}
		})
	}
}

func TestFindIsAboutOneContainer(t *testing.T) {
	s := &containerd{blobs: make(map[string][]byte)}
	s.target = s.manifest(s.add("application/wasm", []byte("\x00asm")))
	address := s.serve(t)
	for _, row := range [][3]string{{address, "ns", "other"}, {address, "other", "c"},
		{"/missing/socket", "ns", "c"}} {
		if err := Find(t.Context(), row[0], row[1], row[2], "a.wasm", io.Discard); err == nil {
			t.Errorf("%q: got no error, want one", row)
		}
	}
}
