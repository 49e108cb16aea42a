// Command feeds measures the feed server beside nginx, which serves the same bytes
// from files, and prints a table:
//
//	go run ./bench/feeds
//
// It needs nginx and wrk (Debian packages of those names). Rounds of the two are
// interleaved, because machines are noisy.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	var o options
	flag.DurationVar(&o.round, "round", time.Second, "length of one round of wrk")
	flag.IntVar(&o.rounds, "rounds", 9, "rounds of each server and kind of request")
	flag.IntVar(&o.connections, "connections", 32, "connections that wrk keeps open")
	flag.IntVar(&o.items, "items", 50, "items in the feed")
	flag.IntVar(&o.bytes, "bytes", 8<<10, "bytes of HTML in each item")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the feed server's rounds to this file")
	flag.StringVar(&o.only, "only", "", "measure only this: http, render, change or memory")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench/feeds:", err)
		os.Exit(1)
	}
}

type options struct {
	round         time.Duration
	rounds        int
	connections   int
	items, bytes  int
	profile, only string
}

func run(ctx context.Context, o options) error {
	parts := []struct {
		name    string
		measure func(context.Context, options) error
	}{{"render", measureRender}, {"memory", measureMemory}, {"change", measureChange}, {"http", measureHTTP}}
	for _, part := range parts {
		if o.only != "" && o.only != part.name {
			continue
		}
		if err := part.measure(ctx, o); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		fmt.Println()
	}
	return nil
}
