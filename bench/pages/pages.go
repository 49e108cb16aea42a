package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/tidings-press/tidings/bench/benchkit"
)

// The targets for pages: the 95th percentile of the response time, and the rate of the front page.
const (
	pageTarget  = 20 * time.Millisecond
	frontTarget = 5000
)

// page is one kind of page. If it has many paths, they are requested in turn, so that most are not
// in memory.
type page struct {
	name   string
	path   string
	many   func(i, articles int) string
	cached bool // the targets apply
}

var pages = []page{
	{name: "/", path: "/", cached: true},
	{name: "an article", path: "/articles/article-7", cached: true},
	{name: "/tags/", path: "/tags/", cached: true},
	{name: "a tag", path: "/tags/all/", cached: true},
	{name: "/feeds", path: "/feeds", cached: true},
	{name: "/subscribe", path: "/subscribe", cached: true},
	{name: "no page", path: "/nothing", cached: true},
	{name: "a search", path: "/search?q=harbour", cached: true},
	{name: "a search without results", path: "/search?q=zanzibar", cached: true},
	{name: "many articles", many: func(i, n int) string { return fmt.Sprint("/articles/article-", i*7919%n) }},
	{name: "many missing pages", many: func(i, _ int) string { return fmt.Sprint("/nothing/", i) }},
	{name: "many searches", many: search},
}

func search(i, _ int) string {
	return fmt.Sprintf("/search?q=%s+%s", benchkit.Words[i%len(benchkit.Words)], benchkit.Words[i/len(benchkit.Words)%len(benchkit.Words)])
}

// manyPaths is how many different paths are requested in turn.
const manyPaths = 5000

func (p *page) load(s *site, o *options) benchkit.Load {
	l := benchkit.Load{Address: s.service.Address, Path: p.path, Length: o.length, Connections: o.connections, MayRefuse: true, Headers: []string{"Accept-Encoding: gzip"}}
	if p.many != nil {
		for i := range manyPaths {
			l.Paths = append(l.Paths, p.many(i, o.articles))
		}
	}
	return l
}

func measurePages(ctx context.Context, s *site, o *options) error {
	fmt.Printf("%d articles on %s, %d connections, %v each; first is the first answer after a change\n", o.articles, o.store, o.connections, o.length)
	fmt.Printf("%-24s %10s %10s %10s %10s %10s %12s %10s\n", "page", "first", "answers/s", "p50", "p95", "p99", "CPU/answer", "refused")
	for i := range pages {
		p := &pages[i]
		if err := s.putArticles(ctx, 1); err != nil {
			return err
		}
		time.Sleep(300 * time.Millisecond) // a change by another process is seen within 200 ms
		load := p.load(s, o)
		first, err := timeOf("http://" + s.service.Address + cmp.Or(p.path, firstOf(load.Paths)))
		if err != nil {
			return err
		}
		before := s.service.CPU()
		r, err := benchkit.Wrk(ctx, s.dir, load)
		if err != nil {
			return err
		}
		each := time.Duration(float64(s.service.CPU()-before) / max(r.Rate*o.length.Seconds(), 1))
		var missed string
		if p.cached {
			missed = o.want(r.P95 <= pageTarget, "%s: p95 %v, wanted %v", p.name, r.P95, pageTarget)
		}
		if p.path == "/" {
			missed = cmp.Or(missed, o.want(r.Rate >= frontTarget, "/: %.0f answers/s, wanted %d", r.Rate, frontTarget))
		}
		fmt.Printf("%-24s %10v %10.0f %10v %10v %10v %12v %10d%s\n", p.name, first.Round(100*time.Microsecond), r.Rate,
			r.P50.Round(10*time.Microsecond), r.P95.Round(10*time.Microsecond), r.P99.Round(10*time.Microsecond), each.Round(time.Microsecond), r.Refused, missed)
	}
	fmt.Println()
	return nil
}

func firstOf(paths []string) string {
	if len(paths) == 0 {
		return ""
	}
	return paths[0]
}

func timeOf(url string) (time.Duration, error) {
	began := time.Now()
	response, err := http.Get(url)
	if err != nil {
		return 0, err
	}
	return time.Since(began), response.Body.Close()
}
