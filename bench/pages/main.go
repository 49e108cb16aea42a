// Command pages measures the public pages of "tidings serve", in a process of its own, and how much
// they slow down an edition that is being sent. It prints two tables:
//
//	go run ./bench/pages                                the pages of 274 articles, then editions
//	go run ./bench/pages -articles 100000 -only pages   the pages of a large archive
//	go run ./bench/pages -store postgres
//	go run ./bench/pages -check                         exits with 1 when a target is missed
//
// It needs wrk (Debian package of that name).
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

type options struct {
	articles    int
	readers     int
	connections int
	length      time.Duration
	rounds      int
	store       string
	binary      string
	only        string
	loads       string
	check       bool

	missed []string // targets
}

func main() {
	var o options
	flag.IntVar(&o.articles, "articles", 274, "stored articles")
	flag.IntVar(&o.readers, "readers", 20_000, "subscribers of the edition")
	flag.IntVar(&o.connections, "connections", 8, "connections that request pages")
	flag.DurationVar(&o.length, "length", 3*time.Second, "how long each page is requested")
	flag.IntVar(&o.rounds, "rounds", 3, "editions under each load")
	flag.StringVar(&o.store, "store", "sqlite", "sqlite or postgres")
	flag.StringVar(&o.binary, "binary", "", "measure this program in place of one built from the source")
	flag.StringVar(&o.only, "only", "", "measure only this: pages or editions")
	flag.StringVar(&o.loads, "loads", "nothing,front,search,random,feeds", "loads while an edition is sent")
	flag.BoolVar(&o.check, "check", false, "exit with 1 when a target is missed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "bench/pages:", err)
		os.Exit(1)
	}
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
	dir, err := os.MkdirTemp("", "tidings-bench-pages-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, stop, err := start(ctx, dir, o)
	defer stop()
	if err != nil {
		return err
	}
	if o.only != "editions" {
		if err := measurePages(ctx, s, o); err != nil {
			return err
		}
	}
	if o.only != "pages" {
		if err := measureEditions(ctx, s, o); err != nil {
			return err
		}
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
