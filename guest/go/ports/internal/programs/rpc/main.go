// Command rpc is a gRPC server and client, natively or as a guest:
//
//	rpc serve        echoes, and prints its address
//	rpc call ADDR    calls once, many times at once, and on a stream
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/wasport/wasport/guest/go/gonet"
)

func main() {
	var err error
	switch args := os.Args[1:]; {
	case len(args) == 1 && args[0] == "serve":
		err = serve()
	case len(args) == 2 && args[0] == "call":
		err = call(context.Background(), args[1])
	default:
		err = fmt.Errorf("rpc serve, or rpc call ADDR")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "rpc:", err)
		os.Exit(1)
	}
}

type text = wrapperspb.StringValue

// echo is the description that protoc would make of a service with a method and a stream.
var echo = grpc.ServiceDesc{
	ServiceName: "Echo",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Say", Handler: func(_ any, ctx context.Context,
		decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := new(text)
		if err := decode(in); err != nil {
			return nil, err
		}
		switch in.Value {
		case "":
			return nil, status.Error(codes.InvalidArgument, "nothing was said")
		case "wait":
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return in, nil
	}}},
	Streams: []grpc.StreamDesc{{StreamName: "Talk", ClientStreams: true, ServerStreams: true,
		Handler: func(_ any, s grpc.ServerStream) error {
			for {
				in := new(text)
				if err := s.RecvMsg(in); err != nil {
					return nil // the client is done
				}
				if err := s.SendMsg(in); err != nil {
					return err
				}
			}
		}}},
}

func serve() error {
	l, err := gonet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	server.RegisterService(&echo, nil)
	fmt.Println(l.Addr())
	return server.Serve(l)
}

func call(ctx context.Context, addr string) error {
	conn, err := grpc.NewClient("passthrough:///"+addr,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			return gonet.DialContext(ctx, "tcp", addr)
		}))
	if err != nil {
		return err
	}
	defer conn.Close()
	say := func(ctx context.Context, what string) (string, error) {
		out := new(text)
		err := conn.Invoke(ctx, "/Echo/Say", wrapperspb.String(what), out)
		return out.Value, err
	}
	fmt.Println(say(ctx, "hello"))
	large, err := say(ctx, strings.Repeat("x", 1<<20))
	fmt.Println(len(large), err)
	_, err = say(ctx, "")
	fmt.Println(status.Code(err), err)
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	_, err = say(short, "wait")
	fmt.Println(status.Code(err))

	var all sync.WaitGroup
	wrong := make(chan error, 100)
	for i := range 100 {
		all.Go(func() {
			want := fmt.Sprint("call ", i)
			if got, err := say(ctx, want); err != nil || got != want {
				wrong <- fmt.Errorf("got %q, %v, want %q", got, err, want)
			}
		})
	}
	all.Wait()
	close(wrong)
	fmt.Println("wrong:", len(wrong))
	if err := <-wrong; err != nil {
		return err
	}
	return talk(ctx, conn)
}

func talk(ctx context.Context, conn *grpc.ClientConn) error {
	s, err := conn.NewStream(ctx, &echo.Streams[0], "/Echo/Talk")
	if err != nil {
		return err
	}
	for i := range 3 {
		if err := s.SendMsg(wrapperspb.String(fmt.Sprint("message ", i))); err != nil {
			return err
		}
		in := new(text)
		err := s.RecvMsg(in)
		fmt.Println(in.Value, err)
	}
	if err := s.CloseSend(); err != nil {
		return err
	}
	fmt.Println(s.RecvMsg(new(text)))
	return nil
}
