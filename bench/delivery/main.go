// Command delivery measures how fast editions are sent, end to end: from the
// approval of an edition to the last delivery recorded, store included. Its rounds
// are interleaved, since machines are noisy, and each round sends the same mails
// into the same sink with Postfix's smtp-source as the yardstick.
//
//	go run ./bench/delivery                          the table of README
//	go run ./bench/delivery -mails 1000000 -runs sqlite -rounds 1
//	go run ./bench/delivery -delay 20ms -connections 32 -runs sqlite
//	go run ./bench/delivery -runs record-sqlite,record-postgres -mails 100000
//	go run ./bench/delivery -runs nodes -delay 20ms -connections 16
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
	profile     string
}

func main() {
	if os.Getenv(nodeVariable) != "" {
		exit(runNode())
	}
	var o options
	flag.IntVar(&o.mails, "mails", 20000, "subscribers of an edition")
	flag.IntVar(&o.rounds, "rounds", 3, "interleaved rounds")
	flag.StringVar(&o.runs, "runs", "smtp-source,sqlite,postgres,rsa,sqlite+rsa", "what a round measures: smtp-source, sqlite, postgres, either with +rsa or +ed25519, rsa or ed25519 for signatures alone, record-sqlite or record-postgres for outcomes alone; or nodes")
	flag.DurationVar(&o.delay, "delay", 0, "the server's delay before each flight of replies")
	flag.IntVar(&o.connections, "connections", 0, "connections of a node; 0 for the default settings")
	flag.StringVar(&o.durability, "durability", "full", "full or normal")
	flag.IntVar(&o.chunk, "chunk", 500, "subscribers that a node claims at once")
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
	field, err := newField(ctx, o)
	if err != nil {
		return err
	}
	defer field.close()
	if o.runs == "nodes" {
		return field.nodes(ctx)
	}
	fmt.Printf("%d mails of %d bytes, %d rounds, delay %v, durability %s\n\n", o.mails, field.size, o.rounds, o.delay, o.durability)
	names := strings.Split(o.runs, ",")
	results := map[string][]result{}
	for round := range o.rounds {
		for _, name := range names {
			r, err := field.measure(ctx, name)
			if err != nil {
				return fmt.Errorf("round %d, %s: %w", round+1, name, err)
			}
			results[name] = append(results[name], r)
			fmt.Fprintf(os.Stderr, "round %d  %-14s %8.0f mails/s\n", round+1, name, r.rate())
		}
	}
	fmt.Println()
	print(names, results)
	return nil
}
