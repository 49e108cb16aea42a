// Command delivery measures how fast editions are sent end to end: from the approval of an edition
// until its last delivery is recorded in the store. Rounds are interleaved, because timings vary, and
// each round also sends the same number of mails to the same sink with Postfix's smtp-source, as the
// baseline.
//
//	go run ./bench/delivery                          the table of README
//	go run ./bench/delivery -runs import-sqlite -mails 1000000 -rounds 1
//	go run ./bench/delivery -runs 'sqlite,sqlite*10' -mails 100000 -rounds 1
//	go run ./bench/delivery -runs sqlite,sqlite@8,sqlite@16,sqlite@32,sqlite@64 -mails 40000
//	go run ./bench/delivery -delay 20ms -connections 32 -runs sqlite
//	go run ./bench/delivery -runs record-sqlite,record-postgres -mails 100000
//	go run ./bench/delivery -runs nodes -delay 20ms -connections 16
//
// A run is an engine, sqlite or postgres, with +rsa or +ed25519 for signed mails, @N for N connections
// in place of the default settings, and *N for N times as many subscribers; or smtp-source; or rsa or
// ed25519 to measure signatures alone; or record-ENGINE to measure the recording of outcomes alone; or
// import-ENGINE to measure the import of a list; or nodes.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	mails       int
	rounds      int
	runs        string
	delay       time.Duration
	connections int
	durability  string
	chunk       int
	topics      int
	profile     string
}

func main() {
	if os.Getenv(nodeVariable) != "" {
		exit(runNode())
	}
	var o options
	flag.IntVar(&o.mails, "mails", 20000, "subscribers of an edition")
	flag.IntVar(&o.rounds, "rounds", 3, "interleaved rounds")
	flag.StringVar(&o.runs, "runs", "smtp-source,sqlite,postgres,rsa,sqlite+rsa", "runs of a round, separated by commas")
	flag.DurationVar(&o.delay, "delay", 0, "the server's delay before each flight of replies")
	flag.IntVar(&o.connections, "connections", 0, "connections of a node; 0 for the default settings")
	flag.StringVar(&o.durability, "durability", "full", "full or normal")
	flag.IntVar(&o.chunk, "chunk", 500, "subscribers that a node claims at once")
	flag.IntVar(&o.topics, "topics", 0, "topics of the articles, of which each subscriber prefers a random set; 0 for no preferences")
	flag.StringVar(&o.profile, "profile", "", "folder for CPU profiles of the nodes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(run(ctx, o))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context, o options) error {
	env, err := newEnvironment(ctx, o)
	if err != nil {
		return err
	}
	defer env.close()
	if o.runs == "nodes" {
		return env.nodes(ctx)
	}
	fmt.Printf("%d mails of %d bytes, %d rounds, delay %v, durability %s\n\n", o.mails, env.size, o.rounds, o.delay, o.durability)
	var plans []plan
	for name := range strings.SplitSeq(o.runs, ",") {
		p, err := readPlan(name, o.connections)
		if err != nil {
			return err
		}
		plans = append(plans, p)
	}
	results := map[string][]result{}
	for round := range o.rounds {
		for _, p := range plans {
			r, err := env.measure(ctx, p)
			if err != nil {
				return fmt.Errorf("round %d, %s: %w", round+1, p.name, err)
			}
			results[p.name] = append(results[p.name], r)
			fmt.Fprintf(os.Stderr, "round %d  %-14s %8.0f/s\n", round+1, p.name, r.rate())
		}
	}
	fmt.Println()
	print(plans, results)
	return nil
}
