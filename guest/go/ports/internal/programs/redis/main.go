// Command redis uses a Redis server by go-redis, natively or as a guest: redis ADDR.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/wasport/wasport/guest/go/gonet"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: redis ADDR")
		os.Exit(2)
	}
	db := redis.NewClient(&redis.Options{
		Addr: os.Args[1], Dialer: gonet.DialContext, ContextTimeoutEnabled: true,
	})
	defer db.Close()
	ctx := context.Background()
	for _, part := range []struct {
		name string
		run  func(context.Context, *redis.Client) error
	}{
		{"values", values}, {"a pipeline and a transaction", together},
		{"published", published}, {"clients at once", atOnce}, {"waiting", waiting},
		{"nobody there", absent},
	} {
		fmt.Println("==", part.name)
		if err := part.run(ctx, db); err != nil {
			fmt.Fprintf(os.Stderr, "redis: %s: %v\n", part.name, err)
			os.Exit(1)
		}
	}
}

func values(ctx context.Context, db *redis.Client) error {
	if err := db.FlushAll(ctx).Err(); err != nil {
		return err
	}
	fmt.Println(db.Set(ctx, "name", "wasport", 0).Result())
	fmt.Println(db.Get(ctx, "name").Result())
	_, err := db.Get(ctx, "absent").Result()
	fmt.Println(errors.Is(err, redis.Nil))
	large := make([]byte, 1<<20)
	if err := db.Set(ctx, "large", large, 0).Err(); err != nil {
		return err
	}
	back, err := db.Get(ctx, "large").Bytes()
	fmt.Println(len(back), err)
	return nil
}

func together(ctx context.Context, db *redis.Client) error {
	results, err := db.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range 100 {
			p.RPush(ctx, "list", i)
		}
		return nil
	})
	fmt.Println(len(results), err)
	results, err = db.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Incr(ctx, "count")
		p.LLen(ctx, "list")
		return nil
	})
	for _, r := range results {
		fmt.Println(r)
	}
	return err
}

func published(ctx context.Context, db *redis.Client) error {
	sub := db.Subscribe(ctx, "news")
	defer sub.Close()
	if _, err := sub.Receive(ctx); err != nil {
		return err
	}
	if err := db.Publish(ctx, "news", "hello").Err(); err != nil {
		return err
	}
	m, err := sub.ReceiveMessage(ctx)
	fmt.Println(m, err)
	return nil
}

func atOnce(ctx context.Context, db *redis.Client) error {
	var all sync.WaitGroup
	errs := make(chan error, 50)
	for range 50 {
		all.Go(func() {
			for range 10 {
				if err := db.Incr(ctx, "together").Err(); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	all.Wait()
	fmt.Println(db.Get(ctx, "together").Result())
	close(errs)
	return <-errs
}

// waiting waits for an element that another connection pushes, and for one that never comes.
func waiting(ctx context.Context, db *redis.Client) error {
	got := make(chan string)
	go func() {
		r, err := db.BLPop(ctx, 0, "queue").Result()
		got <- fmt.Sprint(r, err)
	}()
	if err := db.LPush(ctx, "queue", "work").Err(); err != nil {
		return err
	}
	fmt.Println(<-got)
	ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	err := db.BLPop(ctx, 0, "nothing").Err()
	var timeout net.Error
	fmt.Println(errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &timeout) && timeout.Timeout())
	return nil
}

// absent connects to a port where nothing listens.
func absent(ctx context.Context, _ *redis.Client) error {
	db := redis.NewClient(&redis.Options{
		Addr: "127.0.0.1:1", Dialer: gonet.DialContext, MaxRetries: -1, DialerRetries: 1,
	})
	defer db.Close()
	err := db.Ping(ctx).Err()
	var failed *net.OpError
	fmt.Println(errors.As(err, &failed) && failed.Op == "dial",
		errors.Is(err, syscall.ECONNREFUSED))
	return nil
}
