// Command editions measures how long it takes to compose an edition: to choose its articles among those
// that are stored, to draft it, to show it to an editor, and to approve it with all its variants
// compiled and stored. It prints a table:
//
//	go run ./bench/editions                  the table of docs/scale.md
//	go run ./bench/editions -check           exits with 1 when a target is missed
//	go run ./bench/editions -store sqlite -stored 100000
//	go run ./bench/editions -profile cpu.out
//
// The commits are part of the times. PostgreSQL is started for it, and left out if it is not installed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

// The targets of the medians.
const (
	composeTarget  = 150 * time.Millisecond // an edition of one variant, from the choice to the compiled message
	variantsTarget = 3 * time.Second        // an edition of 200 variants
	proofTarget    = time.Second            // a draft as an editor is shown it
)

type options struct {
	stores   string
	stored   string
	rounds   int
	articles int
	variants int
	bytes    int
	check    bool
	profile  string

	missed []string
}

func main() {
	var o options
	flag.StringVar(&o.stores, "store", "sqlite,postgres", "stores to measure on")
	flag.StringVar(&o.stored, "stored", "1000,10000,100000", "numbers of stored articles")
	flag.IntVar(&o.rounds, "rounds", 9, "editions of each kind; medians are printed")
	flag.IntVar(&o.articles, "articles", 20, "articles of an edition")
	flag.IntVar(&o.variants, "variants", 200, "variants of the edition with many")
	flag.IntVar(&o.bytes, "bytes", 4<<10, "bytes of HTML of an article")
	flag.BoolVar(&o.check, "check", false, "exit with 1 when a target is missed")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the measured parts to this file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "bench/editions:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o *options) error {
	if o.profile != "" {
		file, err := os.Create(o.profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Printf("an edition of %d articles with %d bytes each, medians of %d, in milliseconds\n", o.articles, o.bytes, o.rounds)
	fmt.Printf("%-9s %8s %-16s %8s %8s %8s %9s %9s\n", "store", "stored", "queue", "draft", "proof", "approve", "composed", "variants")
	for engine := range strings.SplitSeq(o.stores, ",") {
		if err := measureEngine(ctx, o, engine); err != nil {
			return fmt.Errorf("%s: %w", engine, err)
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

func measureEngine(ctx context.Context, o *options, engine string) error {
	server, err := startServer(engine)
	if errors.Is(err, errNoServer) {
		fmt.Printf("%-9s %v\n", engine, err)
		return nil
	}
	if err != nil {
		return err
	}
	if server != nil {
		defer server.Remove()
	}
	for text := range strings.SplitSeq(o.stored, ",") {
		stored, err := strconv.Atoi(text)
		if err != nil || stored < 2*o.rounds*o.articles {
			return fmt.Errorf("-stored %s: use at least %d, two times rounds times articles", text, 2*o.rounds*o.articles)
		}
		if err := measureStored(ctx, o, engine, server, stored); err != nil {
			return err
		}
	}
	return nil
}

// measureStored measures with a number of stored articles: first all of them wait for an edition, then
// only as many as are needed.
func measureStored(ctx context.Context, o *options, engine string, server *postgres, stored int) error {
	b, err := newBench(ctx, o, engine, server, stored)
	if err != nil {
		return err
	}
	defer b.remove()
	for _, queue := range []string{"all wait", "the rest was sent"} {
		if queue != "all wait" {
			if err := b.sendRest(ctx); err != nil {
				return err
			}
		}
		if err := b.analyze(ctx, engine); err != nil {
			return err
		}
		m, err := b.measure(ctx)
		if err != nil {
			return err
		}
		o.print(engine, stored, queue, m)
	}
	return nil
}

func (o *options) print(engine string, stored int, queue string, m times) {
	draft, proof, approve, composed, variants := m.medians()
	ms := func(d time.Duration) string { return fmt.Sprintf("%.0f", float64(d)/1e6) }
	fmt.Printf("%-9s %8d %-16s %8s %8s %8s %9s %9s\n", engine, stored, queue, ms(draft), ms(proof), ms(approve), ms(composed), ms(variants))
	for _, one := range []struct {
		name         string
		took, target time.Duration
	}{{"composing", composed, composeTarget}, {"the variants", variants, variantsTarget}, {"the proof", draft + proof, proofTarget}} {
		if one.took > one.target {
			o.missed = append(o.missed, fmt.Sprintf("%s of %d on %s (%s) took %v, wanted %v", one.name, stored, engine, queue, one.took.Round(time.Millisecond), one.target))
		}
	}
}
