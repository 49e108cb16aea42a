package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tidings-press/tidings/bench/benchkit"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
)

const settings = `
site: {title: The Bench, description: Articles to measure with, url: "https://bench.example", language: en}
store: {dsn: "%s"}
server: {listen: "%s"}
digests:
- {name: weekly, title: The week, schedule: "0 8 1 1 *", sender: The Bench <news@bench.example>, max_articles: 12}
mail: {postal_address: 1 Bench Street}
delivery: {first_send_check: false}
relays:
- {name: sink, host: 127.0.0.1, port: %s, tls: none, auth: none}
`

// site is the running program, its store, and the server that receives its mail.
type site struct {
	dir, binary string
	service     *benchkit.Process
	db          *store.Store
	put         int // number of articles stored so far
}

// start fills a store and starts the program on it. stop ends everything, also after an error.
func start(ctx context.Context, dir string, o *options) (s *site, stop func(), err error) {
	var ends []func()
	stop = func() {
		for i := len(ends) - 1; i >= 0; i-- {
			ends[i]()
		}
	}
	s = &site{dir: dir, binary: o.binary}
	if s.binary == "" {
		if s.binary, err = benchkit.Build(ctx, dir); err != nil {
			return nil, stop, err
		}
	}
	dsn := "sqlite:" + filepath.Join(dir, "bench.db")
	if o.store == "postgres" {
		server, err := testkit.LaunchPostgres(testkit.PostgresOptions{})
		if err != nil {
			return nil, stop, err
		}
		ends = append(ends, server.Remove)
		if dsn, err = server.Fresh(ctx, "pages"); err != nil {
			return nil, stop, err
		}
	}
	if s.db, err = store.Open(ctx, dsn, store.Options{}); err != nil {
		return nil, stop, err
	}
	db := s.db
	ends = append(ends, func() { _ = db.Close() })
	if err = s.fill(ctx, o); err != nil {
		return nil, stop, err
	}
	if err = s.launch(ctx, dsn, &ends); err != nil {
		return nil, stop, err
	}
	return s, stop, nil
}

// launch starts the mail server and the program.
func (s *site) launch(ctx context.Context, dsn string, ends *[]func()) error {
	listen, err1 := benchkit.FreeAddress()
	sinkAt, err2 := benchkit.FreeAddress()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	sink := filepath.Join(s.dir, "sink")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", sink, "github.com/tidings-press/tidings/bench/sink").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	_, port, _ := strings.Cut(sinkAt, ":")
	if err := os.WriteFile(filepath.Join(s.dir, "config.yaml"), fmt.Appendf(nil, settings, dsn, listen, port), 0o600); err != nil {
		return err
	}
	far, err := benchkit.Start(ctx, s.dir, sinkAt, sink, "-listen", sinkAt, "-every", "0")
	if err != nil {
		return err
	}
	*ends = append(*ends, func() { _ = far.Stop() })
	if s.service, err = benchkit.Start(ctx, s.dir, listen, s.binary, "serve"); err != nil {
		return err
	}
	*ends = append(*ends, func() { _ = s.service.Stop() })
	return nil
}

func (s *site) fill(ctx context.Context, o *options) error {
	if err := s.putArticles(ctx, o.articles); err != nil {
		return err
	}
	people := func(yield func(subscriber.Row, error) bool) {
		for i := range o.readers {
			address, err := subscriber.ParseAddress(fmt.Sprintf("reader%d@example.org", i))
			if !yield(subscriber.Row{Line: i + 1, Address: address, Name: fmt.Sprint("Reader No ", i)}, err) {
				return
			}
		}
	}
	_, err := s.db.ImportSubscribers(ctx, iter.Seq2[subscriber.Row, error](people), store.ImportOptions{Digests: []string{"weekly"}, State: subscriber.Active})
	return err
}

// putArticles stores the next n articles.
func (s *site) putArticles(ctx context.Context, n int) error {
	return benchkit.PutArticles(ctx, s.db, n, func(int) article.Article {
		a := benchkit.MakeArticle(s.put, s.db.Now())
		s.put++
		return a
	})
}
