// Command postgres uses a PostgreSQL server by pgx, natively or as a guest: postgres URL.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/wasport/wasport/guest/go/gonet"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: postgres URL")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "postgres:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url string) error {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return err
	}
	config.MaxConns = 8
	config.ConnConfig.DialFunc = gonet.DialContext
	config.ConnConfig.LookupFunc = gonet.DefaultResolver.LookupHost
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close()
	for _, part := range []struct {
		name string
		run  func(context.Context, *pgxpool.Pool) error
	}{
		{"rows", rows}, {"a transaction", transaction}, {"notified", notified},
		{"connections at once", atOnce}, {"cancelled", cancelled},
	} {
		fmt.Println("==", part.name)
		if err := part.run(ctx, pool); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

func rows(ctx context.Context, pool *pgxpool.Pool) error {
	var secure bool
	err := pool.QueryRow(ctx,
		"SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").Scan(&secure)
	fmt.Println("TLS", secure, err)
	_, err = pool.Exec(ctx, "DROP TABLE IF EXISTS item; CREATE TABLE item (id int, name text)")
	if err != nil {
		return err
	}
	const count = 20_000
	n, err := pool.CopyFrom(ctx, pgx.Identifier{"item"}, []string{"id", "name"},
		pgx.CopyFromSlice(count, func(i int) ([]any, error) {
			return []any{i, fmt.Sprintf("item %d", i)}, nil
		}))
	fmt.Println(n, err)
	found, err := pool.Query(ctx, "SELECT id, name FROM item WHERE id % $1 = 0 ORDER BY id", 4999)
	if err != nil {
		return err
	}
	type item struct {
		ID   int
		Name string
	}
	list, err := pgx.CollectRows(found, pgx.RowToStructByPos[item])
	fmt.Println(list, err)
	_, err = pool.Exec(ctx, "SELECT * FROM absent")
	var failed *pgconn.PgError
	if !errors.As(err, &failed) {
		return fmt.Errorf("got %v, want the server's error", err)
	}
	fmt.Println(failed.Code)
	return nil
}

func transaction(ctx context.Context, pool *pgxpool.Pool) error {
	undo := errors.New("undo")
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM item"); err != nil {
			return err
		}
		return undo
	})
	if err != undo {
		return err
	}
	var n int
	err = pool.QueryRow(ctx, "SELECT count(*) FROM item").Scan(&n)
	fmt.Println(n)
	return err
}

func notified(ctx context.Context, pool *pgxpool.Pool) error {
	c, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	if _, err := c.Exec(ctx, "LISTEN news"); err != nil {
		return err
	}
	if _, err := pool.Exec(ctx, "NOTIFY news, 'hello'"); err != nil {
		return err
	}
	n, err := c.Conn().WaitForNotification(ctx)
	if err == nil {
		fmt.Println(n.Channel, n.Payload)
	}
	return err
}

func atOnce(ctx context.Context, pool *pgxpool.Pool) error {
	var all sync.WaitGroup
	errs := make(chan error, 20)
	for i := range 20 {
		all.Go(func() {
			var got int
			err := pool.QueryRow(ctx, "SELECT $1::int FROM pg_sleep(0.01)", i).Scan(&got)
			if err == nil && got != i {
				err = fmt.Errorf("got %d, want %d", got, i)
			}
			if err != nil {
				errs <- err
			}
		})
	}
	all.Wait()
	close(errs)
	fmt.Println(len(errs))
	return <-errs
}

// cancelled gives up on a query, of which the library tells the server by one more connection.
func cancelled(ctx context.Context, pool *pgxpool.Pool) error {
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	_, err := pool.Exec(short, "SELECT pg_sleep(600)")
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	var one int
	err = pool.QueryRow(ctx, "SELECT 1").Scan(&one)
	fmt.Println(one)
	return err
}
