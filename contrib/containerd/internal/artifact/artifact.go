// Package artifact finds the module of a container whose image is an OCI artifact: an image without
// a file system, with a layer that is the module itself
// (https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/).
//
// containerd keeps such a layer and unpacks nothing, so it is asked for the bytes. Only the image
// that the container was created with is looked at: a pod that could name another image would read
// those of others, which it may not pull. The image is untrusted, so sizes are bounded. Modules in
// file systems do not belong here (package rootfs).
package artifact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	containers "github.com/containerd/containerd/api/services/containers/v1"
	content "github.com/containerd/containerd/api/services/content/v1"
	images "github.com/containerd/containerd/api/services/images/v1"
	oci "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// Sizes in bytes.
const (
	// MaxModule bounds a module, as the command wasport does.
	MaxModule = 256 << 20
	// maxManifest bounds a manifest or an index.
	maxManifest = 4 << 20
	// maxMessage is the size of containerd's messages (defaults.DefaultMaxRecvMsgSize).
	maxMessage = 16 << 20
)

// maxDepth bounds the indexes between a name and a manifest.
const maxDepth = 4

// Find writes the module of a container's image. base is the name of the module that the container
// asks for. It decides if the image has several.
func Find(ctx context.Context, address, namespace, id, base string, to io.Writer) error {
	conn, err := grpc.NewClient("unix:"+strings.TrimPrefix(address, "unix://"),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx = metadata.AppendToOutgoingContext(ctx, "containerd-namespace", namespace)
	c, err := containers.NewContainersClient(conn).Get(ctx,
		&containers.GetContainerRequest{ID: id})
	if err != nil {
		return err
	}
	name := c.GetContainer().GetImage()
	if name == "" {
		return errors.New("the container has no image")
	}
	i, err := images.NewImagesClient(conn).Get(ctx, &images.GetImageRequest{Name: name})
	if err != nil {
		return err
	}
	store := store{content.NewContentClient(conn)}
	target := i.GetImage().GetTarget()
	layer, err := store.module(ctx, target.GetMediaType(), target.GetDigest(), base)
	if err != nil {
		return fmt.Errorf("image %s: %w", name, err)
	}
	if err := store.copy(ctx, layer.Digest.String(), MaxModule, to); err != nil {
		return fmt.Errorf("image %s: %w", name, err)
	}
	return nil
}

// store is containerd's content store.
type store struct{ content.ContentClient }

// module finds the layer of a module beneath a manifest or an index.
func (s store) module(ctx context.Context, mediaType, digest, base string) (oci.Descriptor,
	error) {
	for range maxDepth {
		var text strings.Builder
		if err := s.copy(ctx, digest, maxManifest, &text); err != nil {
			return oci.Descriptor{}, err
		}
		if !strings.Contains(mediaType, "index") && !strings.Contains(mediaType, "list") {
			var m oci.Manifest
			if err := json.Unmarshal([]byte(text.String()), &m); err != nil {
				return oci.Descriptor{}, err
			}
			return choose(m.Layers, base)
		}
		var index oci.Index
		if err := json.Unmarshal([]byte(text.String()), &index); err != nil {
			return oci.Descriptor{}, err
		}
		next := forWasm(index.Manifests)
		if next == nil {
			return oci.Descriptor{}, errors.New("its index has no manifest for wasm")
		}
		mediaType, digest = next.MediaType, next.Digest.String()
	}
	return oci.Descriptor{}, errors.New("its indexes are nested too deeply")
}

// forWasm returns the manifest for the architecture wasm, or the only one.
func forWasm(list []oci.Descriptor) *oci.Descriptor {
	for i, d := range list {
		if d.Platform != nil && d.Platform.Architecture == "wasm" || len(list) == 1 {
			return &list[i]
		}
	}
	return nil
}

// choose returns the layer that is a module: the only one, or the one with the title base.
func choose(layers []oci.Descriptor, base string) (oci.Descriptor, error) {
	var modules []oci.Descriptor
	for _, l := range layers {
		if l.MediaType != "application/wasm" && !strings.HasSuffix(l.MediaType, "+wasm") {
			continue
		}
		if path.Base(l.Annotations[oci.AnnotationTitle]) == base {
			return l, nil
		}
		modules = append(modules, l)
	}
	if len(modules) != 1 {
		return oci.Descriptor{}, fmt.Errorf("it has %d layers that are modules, none of them "+
			"with the title %q", len(modules), base)
	}
	return modules[0], nil
}

// copy copies a blob of at most most bytes.
func (s store) copy(ctx context.Context, digest string, most int64, to io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in, err := s.Read(ctx, &content.ReadContentRequest{Digest: digest})
	if err != nil {
		return err
	}
	for {
		part, err := in.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if most -= int64(len(part.Data)); most < 0 {
			return fmt.Errorf("%s is too large", digest)
		}
		if _, err := to.Write(part.Data); err != nil {
			return err
		}
	}
}
