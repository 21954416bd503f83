package task

import (
	"context"

	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// groupService is the service by which a start or a delete of the shim talks to the running one.
const groupService = "wasport.containerd.v1.Group"

func groupMethod(f func(id string)) ttrpc.Method {
	return func(_ context.Context, unmarshal func(any) error) (any, error) {
		var id wrapperspb.StringValue
		if err := unmarshal(&id); err != nil {
			return nil, err
		}
		f(id.Value)
		return &emptypb.Empty{}, nil
	}
}

// Expect announces a container to a running shim, which then does not end before it is created.
func Expect(ctx context.Context, client *ttrpc.Client, id string) error {
	return client.Call(ctx, groupService, "Expect", wrapperspb.String(id), &emptypb.Empty{})
}

// Forget has a running shim end and release a container, if it has it.
func Forget(ctx context.Context, client *ttrpc.Client, id string) error {
	return client.Call(ctx, groupService, "Forget", wrapperspb.String(id), &emptypb.Empty{})
}
