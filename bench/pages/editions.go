package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/bench/benchkit"
	"github.com/tidings-press/tidings/internal/digest"
)

// editionTarget is the factor by which an edition may take longer while pages are requested.
const editionTarget = 1.3

// loadPages are the pages that are requested while an edition is sent.
var loadPages = map[string]page{
	"front":  {name: "front", path: "/"},
	"search": {name: "search", many: search},
	"random": {name: "random", many: func(i, n int) string {
		return [...]string{fmt.Sprint("/articles/article-", i*7919%n), fmt.Sprintf("/tags/tag%%20%d/", i%500), fmt.Sprint("/nothing/", i)}[i%3]
	}},
	"feeds": {name: "feeds", many: func(i, _ int) string {
		return fmt.Sprintf("/search/feed.xml?q=%s+%s", benchkit.Words[i%len(benchkit.Words)], benchkit.Words[i/len(benchkit.Words)%len(benchkit.Words)])
	}},
}

// measureEditions sends editions alone and under load, in turn.
func measureEditions(ctx context.Context, s *site, o *options) error {
	took := map[string][]time.Duration{}
	asked := map[string][]benchkit.Result{}
	loads := strings.Split(o.loads, ",")
	if err := s.putArticles(ctx, 12); err != nil {
		return err
	}
	if _, err := s.send(ctx); err != nil { // warms up
		return err
	}
	for range o.rounds {
		for _, name := range loads {
			t, r, err := s.sendUnder(ctx, name, o)
			if err != nil {
				return err
			}
			took[name], asked[name] = append(took[name], t), append(asked[name], r)
		}
	}
	fmt.Printf("an edition of %d mails, %d articles on %s, %d connections that request pages, medians of %d\n", o.readers, o.articles, o.store, o.connections, o.rounds)
	fmt.Printf("%-12s %12s %10s %12s %10s\n", "load", "edition", "ratio", "answers/s", "p95")
	alone := middle(took[loads[0]])
	for _, name := range loads {
		ratio := float64(middle(took[name])) / float64(alone)
		r := benchkit.Median(asked[name])
		fmt.Printf("%-12s %12v %10.2f %12.0f %10v%s\n", name, middle(took[name]).Round(10*time.Millisecond), ratio, r.Rate, r.P95.Round(100*time.Microsecond),
			o.want(ratio <= editionTarget, "an edition under %s takes %.2f times as long, wanted %.1f", name, ratio, editionTarget))
	}
	return nil
}

func middle(all []time.Duration) time.Duration {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}

// sendUnder sends an edition while a page is requested.
func (s *site) sendUnder(ctx context.Context, name string, o *options) (time.Duration, benchkit.Result, error) {
	if err := s.putArticles(ctx, 12); err != nil {
		return 0, benchkit.Result{}, err
	}
	p, ok := loadPages[name]
	if !ok {
		took, err := s.send(ctx)
		return took, benchkit.Result{}, err
	}
	loading, stop := context.WithCancel(ctx)
	defer stop()
	type outcome struct {
		result benchkit.Result
		err    error
	}
	// wrk reports its results when it ends, so it is run for one second at a time.
	done := make(chan outcome, 1)
	go func() {
		var results []benchkit.Result
		load := p.load(s, o)
		load.Length = time.Second
		for loading.Err() == nil {
			r, err := benchkit.Wrk(ctx, s.dir, load)
			if err != nil {
				done <- outcome{err: err}
				return
			}
			results = append(results, r)
		}
		done <- outcome{result: benchkit.Median(results)}
	}()
	took, err := s.send(ctx)
	stop()
	out := <-done
	if err == nil {
		err = out.err
	}
	return took, out.result, err
}

// send sends an edition with the command line, which leaves the sending to the service, and returns
// the time from its approval to its last recorded delivery.
func (s *site) send(ctx context.Context) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, s.binary, "digest", "send", "weekly", "--yes", "--detach")
	cmd.Dir = s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("tidings digest send: %w\n%s", err, out)
	}
	for {
		newest, err := s.db.Editions(ctx, "weekly", 1)
		if err != nil {
			return 0, err
		}
		if len(newest) == 1 && newest[0].State == digest.Sent {
			return newest[0].Finished.Sub(newest[0].Approved), nil
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
