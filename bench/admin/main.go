// Command admin measures the pages of the admin in a store of a large site: a million subscribers, a
// hundred thousand articles and 500 editions. It fills a store, starts "tidings serve" on it in a
// process of its own, signs in and requests every page in turn, round after round. It prints a table
// and exits with 1 if the 95th percentile of a page misses the target:
//
//	go run ./bench/admin                                     SQLite, then PostgreSQL
//	go run ./bench/admin -short                              a hundredth of the site
//	go run ./bench/admin -store sqlite -only subscribers     pages whose name contains a text
//	go run ./bench/admin -dsn sqlite:/var/tmp/large.db       keeps the store, and fills it only once
//	go run ./bench/admin -only digest -cpuprofile cpu.out    also profiles the program while it answers
//
// The store takes about 2 GB on SQLite, and on PostgreSQL 3 GB with its log.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/tidings-press/tidings/bench/benchkit"
	"github.com/tidings-press/tidings/internal/testkit"
)

// pageTarget is the 95th percentile of the response time that every page should meet.
const pageTarget = 200 * time.Millisecond

type options struct {
	stores string
	dsn    string
	short  bool
	rounds int
	only   string
	binary string

	cpuProfile string

	missed []string
}

func main() {
	var o options
	flag.StringVar(&o.stores, "store", "sqlite,postgres", "stores to measure on")
	flag.StringVar(&o.dsn, "dsn", "", "measure on this store and keep it; it is filled if it is empty")
	flag.BoolVar(&o.short, "short", false, "measure a hundredth of the site")
	flag.IntVar(&o.rounds, "rounds", 40, "how often each page is requested")
	flag.StringVar(&o.only, "only", "", "request only the pages whose name contains this")
	flag.StringVar(&o.binary, "binary", "", "measure this program in place of one built from the source")
	flag.StringVar(&o.cpuProfile, "cpuprofile", "", fmt.Sprintf("write a CPU profile of the program in the first %d seconds of the requests into this file", profiledSeconds))
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "bench/admin:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o *options) error {
	dir, err := os.MkdirTemp("", "tidings-bench-admin-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.binary == "" {
		if o.binary, err = benchkit.Build(ctx, dir); err != nil {
			return err
		}
	}
	if o.dsn != "" {
		err = measureStore(ctx, dir, o.dsn, o)
	} else {
		for engine := range strings.SplitSeq(o.stores, ",") {
			if err = measureEngine(ctx, dir, engine, o); err != nil {
				break
			}
		}
	}
	if err == nil && len(o.missed) > 0 {
		err = errors.New("missed: " + strings.Join(o.missed, "; "))
	}
	return err
}

// measureEngine measures on an engine, with a store that is removed afterwards.
func measureEngine(ctx context.Context, dir, engine string, o *options) error {
	switch engine {
	case "sqlite":
		own, err := os.MkdirTemp(dir, "store-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(own)
		return measureStore(ctx, dir, "sqlite:"+filepath.Join(own, "large.db"), o)
	case "postgres":
		server, err := testkit.LaunchPostgres(testkit.PostgresOptions{})
		if err != nil {
			return err
		}
		defer server.Remove()
		dsn, err := server.Fresh(ctx, "admin")
		if err != nil {
			return err
		}
		return measureStore(ctx, dir, dsn, o)
	}
	return fmt.Errorf("unknown store %q; use sqlite, postgres or both with a comma", engine)
}

func measureStore(ctx context.Context, dir, dsn string, o *options) error {
	s := &site{dsn: dsn, scale: 1, dir: dir}
	if o.short {
		s.scale = 100
	}
	defer s.stop()
	if err := s.fill(ctx); err != nil {
		return fmt.Errorf("fill the store: %w", err)
	}
	if o.cpuProfile != "" {
		var err error
		if s.profiling, err = benchkit.FreeAddress(); err != nil {
			return err
		}
	}
	if err := s.serve(ctx, o.binary); err != nil {
		return err
	}
	found, err := s.objects(ctx)
	if err != nil {
		return err
	}
	all := found.pages()
	var chosen []*page
	for i := range all {
		if strings.Contains(all[i].name, o.only) {
			chosen = append(chosen, &all[i])
		}
	}
	profiled := make(chan error, 1)
	if o.cpuProfile != "" {
		go func() { profiled <- s.profile(ctx, o.cpuProfile) }()
	} else {
		profiled <- nil
	}
	for range o.rounds {
		for _, p := range chosen {
			if err := s.request(ctx, p); err != nil {
				return err
			}
		}
	}
	return errors.Join(o.print(s, chosen), <-profiled)
}

func (o *options) print(s *site, pages []*page) error {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err
	}
	engine, _, _ := strings.Cut(s.dsn, ":")
	fmt.Printf("%d subscribers, %d articles, %d editions, %d deliveries on %s; %d requests of each page; load of the machine %s\n",
		s.subscribers(), s.articles(), s.editions(), s.deliveries, engine, o.rounds, strings.TrimSpace(string(load)))
	fmt.Printf("%-40s %9s %9s %9s %9s %9s %9s\n", "page", "p50", "p95", "max", "CPU", "CPU p95", "octets")
	for _, p := range pages {
		missed := ""
		if p95 := quantile(p.took, 95); p95 > pageTarget {
			missed = "  MISSED"
			o.missed = append(o.missed, fmt.Sprintf("%s on %s: p95 %v, wanted %v", p.name, engine, p95.Round(time.Millisecond), pageTarget))
		}
		fmt.Printf("%-40s %9s %9s %9s %9s %9s %9d%s\n", p.name, ms(quantile(p.took, 50)), ms(quantile(p.took, 95)), ms(quantile(p.took, 100)), ms(mean(p.cpu)), ms(quantile(p.cpu, 95)), p.octets, missed)
	}
	fmt.Println()
	return nil
}

func mean(times []time.Duration) (sum time.Duration) {
	for _, t := range times {
		sum += t
	}
	return sum / time.Duration(len(times))
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }
