// Command feeds measures the feeds of "tidings serve", in a process of its own, beside nginx
// and Caddy, which send the same bytes from files, beside a net/http handler that does nothing
// but send them from memory, and behind nginx as a proxy. It prints a table:
//
//	go run ./bench/feeds                        the table of docs/feeds.md
//	go run ./bench/feeds -check                 exits with 1 when a target is missed
//	go run ./bench/feeds -only change -store postgres
//
// It needs nginx, caddy and wrk (Debian packages of those names). Rounds of the servers are
// interleaved, because machines are noisy.
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
)

func main() {
	var o options
	flag.DurationVar(&o.round, "round", time.Second, "length of one round of wrk")
	flag.IntVar(&o.rounds, "rounds", 9, "rounds of each server and kind of request")
	flag.IntVar(&o.connections, "connections", 32, "connections that wrk keeps open")
	flag.IntVar(&o.items, "items", 50, "items in the feed")
	flag.IntVar(&o.bytes, "bytes", 8<<10, "bytes of HTML in each item")
	flag.StringVar(&o.binary, "binary", "", "measure this program in place of one built from the source")
	flag.StringVar(&o.only, "only", "", "measure only this: http, render, change or memory")
	flag.StringVar(&o.stores, "store", "sqlite,postgres", "stores that changes are measured on")
	flag.IntVar(&o.most, "stored", 100_000, "most articles that changes are measured with")
	flag.BoolVar(&o.check, "check", false, "exit with 1 when a target is missed")
	bare := flag.String("bare", "", "only serve the feed of the folder that follows, with a bare net/http handler, at this address")
	flag.Parse()
	if *bare != "" {
		fmt.Fprintln(os.Stderr, "bench/feeds:", serveBare(*bare, flag.Arg(0)))
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "bench/feeds:", err)
		os.Exit(1)
	}
}

type options struct {
	round        time.Duration
	rounds       int
	connections  int
	items, bytes int
	binary, only string
	stores       string
	most         int
	check        bool

	listen string   // where the program listens
	missed []string // targets
}

// want records a target that was missed, and returns how the table shows it.
func (o *options) want(met bool, target string, args ...any) string {
	if met {
		return ""
	}
	o.missed = append(o.missed, fmt.Sprintf(target, args...))
	return "  MISSED"
}

func run(ctx context.Context, o *options) error {
	parts := []struct {
		name    string
		measure func(context.Context, *options) error
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
	if len(o.missed) == 0 {
		return nil
	}
	missed := "missed: " + strings.Join(o.missed, "; ")
	if o.check {
		return errors.New(missed)
	}
	fmt.Println(missed)
	return nil
}
