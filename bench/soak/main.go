// Command soak runs the service for a long time while everything around it fails, and then checks what
// it promises. Editions are sent on short schedules to real SMTP servers that refuse, defer, cut and
// stall. Meanwhile the clock jumps, nodes are killed, PostgreSQL restarts and crashes, the disk of a
// SQLite store fills, articles come and are withdrawn, subscribers unsubscribe, and feed readers poll.
//
//	go run ./bench/soak                       an hour on each store
//	go run ./bench/soak -time 3m -stores sqlite
//
// It prints a table for each store and exits with 1 if a promise was broken or if memory, descriptors
// or goroutines of the node that was not killed have grown.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store"
)

// options are the flags.
type options struct {
	time        time.Duration // until the disturbances end
	subscribers int           // of each digest
	verbose     bool          // print each disturbance
}

func main() {
	if os.Getenv(nodeVariable) != "" {
		exit(runNode())
	}
	var o options
	stores := ""
	flag.DurationVar(&o.time, "time", time.Hour, "how long to disturb each store")
	flag.IntVar(&o.subscribers, "subscribers", 900, "subscribers of each of the three digests")
	flag.StringVar(&stores, "stores", "sqlite,postgres", "stores, separated by commas")
	flag.BoolVar(&o.verbose, "v", false, "print each disturbance")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var failed error
	for _, engine := range strings.Split(stores, ",") {
		failed = errors.Join(failed, soak(ctx, store.Engine(engine), o))
	}
	exit(failed)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// soak runs the service on one store and prints the table. The error lists the broken promises.
func soak(ctx context.Context, engine store.Engine, o options) error {
	s, err := newSite(ctx, engine, o)
	if err != nil {
		return err
	}
	defer s.close()
	began := time.Now()
	if err := s.start(ctx); err != nil {
		return err
	}
	if err := s.disturb(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, s.logs())
	}
	if err := s.settle(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, s.logs())
	}
	breaches, err := s.check(ctx)
	if err != nil {
		return err
	}
	s.printTable(time.Since(began))
	if len(breaches) == 0 {
		fmt.Println("all promises were kept")
		return nil
	}
	const shown = 40
	if len(breaches) > shown {
		breaches = append(breaches[:shown], fmt.Sprintf("and %d more", len(breaches)-shown))
	}
	return fmt.Errorf("%s: promises were broken:\n  %s\n%s", engine, strings.Join(breaches, "\n  "), s.logs())
}
